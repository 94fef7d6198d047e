import { describe, expect, it } from '@jest/globals';
import { AcknowledgeNotification, type NotificationEvent } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { specification } from '@tidegate/kernel/testing';
import fc from 'fast-check';
import type { Alert } from '../alert/alert.ts';
import {
  decideNotification,
  evolveNotification,
  initialNotification,
  type Notification,
  type NotificationCommand,
  REPEAT_AFTER_MS,
  TOO_OLD_MS,
} from './notification.ts';
import { nextAttemptAfter, retryWaitsMs } from './retry.ts';

const given = specification<Notification, NotificationCommand, NotificationEvent>({
  initial: initialNotification,
  decide: decideNotification,
  evolve: evolveNotification,
});

const alert: Alert = {
  thread: 'r-42',
  title: 'rolled back',
  text: '5 % failed',
  severity: 'critical',
  labels: {},
  fingerprint: 'f',
};
const about = {
  notification: 'n-1',
  thread: 'r-42',
  title: 'rolled back',
  severity: 'critical' as const,
};
const cause = { id: 'm-1', type: 'RolloutRolledBack' };
const NOW = 100_000_000;
const metadata = {
  id: 'c-1',
  source: 'notifier',
  at: NOW,
  actor: 'notifier',
  correlationId: 'r-42',
};

const tell = (happenedAt = NOW, at = NOW, routed = true): NotificationCommand => ({
  type: 'Tell',
  data: {
    notification: 'n-1',
    alert,
    cause,
    happenedAt,
    ...(routed ? { route: { name: 'all', channel: 'webhook' } } : {}),
  },
  metadata: { ...metadata, at },
});
const attempt = (
  failure?: { message: string; retryable: boolean; retryAfterMs?: number },
  number = 1,
): NotificationCommand => ({
  type: 'RecordAttempt',
  data: {
    notification: 'n-1',
    round: 1,
    attempt: number,
    random: 0,
    ...(failure ? { failure } : {}),
  },
  metadata,
});
const created: NotificationEvent = {
  type: 'NotificationCreated',
  data: {
    ...about,
    text: alert.text,
    labels: {},
    fingerprint: 'f',
    route: 'all',
    channel: 'webhook',
    cause,
  },
};
const delivered: NotificationEvent = {
  type: 'NotificationDelivered',
  data: { ...about, channel: 'webhook', attempts: 1 },
};
const refused = { message: 'The receiver answered 400.', retryable: false };
const away = { message: 'The receiver answered 503.', retryable: true };

describe('telling', () => {
  it('stores what is to be sent before anything is sent', () => {
    given([]).when(tell()).then([created]);
  });

  it('tells what happened up to an hour ago', () => {
    given([])
      .when(tell(NOW - TOO_OLD_MS))
      .then([created]);
  });

  it('tells the same alert once, and again after the repeat time', () => {
    given([created, delivered]).when(tell()).thenTypes('NotificationSuppressed');
    const later = NOW + REPEAT_AFTER_MS;
    const state = given([created, delivered]).when(tell()).state;
    expect(decideNotification(tell(later, later), state)).toMatchObject([
      { type: 'NotificationCreated' },
    ]);
  });

  it('tells again what was given up: nobody has heard of it', () => {
    const givenUp: NotificationEvent = {
      type: 'NotificationGivenUp',
      data: { ...about, channel: 'webhook', attempts: 1, message: refused.message },
    };
    given([created, givenUp]).when(tell()).then([created]);
  });

  it.each([
    ['too-old', tell(NOW - TOO_OLD_MS - 1)],
    ['no-route', tell(NOW, NOW, false)],
  ])('says why nobody is told: %s', (reason, command) => {
    given([])
      .when(command)
      .then([{ type: 'NotificationSuppressed', data: { ...about, reason, cause } }]);
  });
});

describe('an attempt', () => {
  it('ends the notification when it was delivered', () => {
    given([created]).when(attempt()).then([delivered]);
  });

  it('is followed by another when the receiver was away', () => {
    given([created])
      .when(attempt(away))
      .then([
        {
          type: 'NotificationAttemptFailed',
          data: {
            ...about,
            channel: 'webhook',
            attempt: 1,
            message: away.message,
            nextAttemptAt: NOW + 1_000,
          },
        },
      ]);
  });

  it('waits as long as the receiver asks', () => {
    const { decision } = given([created]).when(attempt({ ...away, retryAfterMs: 60_000 }));
    expect(decision).toMatchObject([{ data: { nextAttemptAt: NOW + 60_000 } }]);
  });

  it('is the last one when the receiver will never take it', () => {
    given([created]).when(attempt(refused)).thenTypes('NotificationGivenUp');
  });

  it('recorded twice counts once', () => {
    given([created, delivered]).when(attempt()).then([]);
    const { decision } = given([created]).when(attempt(away));
    given([created, ...(decision as NotificationEvent[])])
      .when(attempt(away))
      .then([]);
  });

  it('of an earlier round changes nothing', () => {
    const twice = given([created, delivered, created]).when(attempt());
    expect(twice.state).toMatchObject({ status: 'waiting', told: { round: 2, attempts: 0 } });
    twice.then([]);
  });
});

it('gives up after the last wait, and never waits less than the schedule says', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (n, random) => {
        const wait = nextAttemptAfter(n, random);
        const scheduled = retryWaitsMs[n - 1];
        if (scheduled === undefined) expect(wait).toBeUndefined();
        else {
          expect(wait).toBeGreaterThanOrEqual(scheduled);
          expect(wait).toBeLessThanOrEqual(scheduled * 1.2 + 1);
        }
      },
    ),
  );
});

it('is acknowledged once, by the person who did it', () => {
  const acknowledge = exampleOf(AcknowledgeNotification, { notification: 'n-1' });
  const by: NotificationEvent = {
    type: 'NotificationAcknowledged',
    data: { ...about, by: 'alex' },
  };
  given([created]).when(acknowledge).then([by]);
  given([created, by]).when(acknowledge).then([]);
  given([]).when(acknowledge).thenRejected('NOTIFICATION_UNKNOWN');
});

it('can be sent again once it ended', () => {
  const again: NotificationCommand = { type: 'SendAgain', data: { notification: 'n-1' }, metadata };
  given([created, delivered]).when(again).then([created]);
  given([created]).when(again).thenRejected('NOTIFICATION_NOT_ENDED');
  given([]).when(again).thenRejected('NOTIFICATION_UNKNOWN');
  const suppressed: NotificationEvent = {
    type: 'NotificationSuppressed',
    data: { ...about, reason: 'no-route', cause },
  };
  given([suppressed]).when(again).thenRejected('NOTIFICATION_SUPPRESSED');
});
