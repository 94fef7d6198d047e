import type { AcknowledgeNotification, NotificationEvent } from '@tidegate/contracts';
import { type Command, type Decision, type Fact, reject, type Rejection } from '@tidegate/kernel';
import type { Alert } from '../alert/alert.ts';
import { nextAttemptAfter } from './retry.ts';

export type Cause = { readonly id: string; readonly type: string };

/** One alert on its way along one route. `round` counts how often the same alert was told anew. */
interface Told {
  readonly alert: Alert;
  readonly route: string;
  readonly channel: string;
  readonly cause: Cause;
  readonly round: number;
  readonly createdAt: number;
  readonly attempts: number;
  readonly acknowledgedBy?: string | undefined;
}

export type Notification =
  | { readonly status: 'absent' }
  /** Nobody was told, on purpose: `reason` says why. */
  | {
      readonly status: 'suppressed';
      readonly alert: Alert;
      readonly reason: string;
      readonly at: number;
    }
  | {
      readonly status: 'waiting';
      readonly told: Told;
      readonly nextAttemptAt: number;
      readonly lastFailure?: string;
    }
  | { readonly status: 'delivered'; readonly told: Told; readonly deliveredAt: number }
  | { readonly status: 'given-up'; readonly told: Told; readonly lastFailure: string };

interface Internal<T extends string, D> extends Command {
  readonly type: T;
  readonly data: D;
}
export type NotificationCommand =
  /** An alert came, from the message that is the command's id. */
  | Internal<
      'Tell',
      {
        readonly notification: string;
        readonly alert: Alert;
        readonly cause: Cause;
        /** When it happened, ms. */
        readonly happenedAt: number;
        /** None: no route takes it. */
        readonly route?: { readonly name: string; readonly channel: string } | undefined;
      }
    >
  | Internal<
      'RecordAttempt',
      {
        readonly notification: string;
        readonly round: number;
        readonly attempt: number;
        readonly random: number;
        readonly failure?: {
          readonly message: string;
          readonly retryable: boolean;
          readonly retryAfterMs?: number | undefined;
        };
      }
    >
  | Internal<'SendAgain', { readonly notification: string }>
  | AcknowledgeNotification;

/** Older than this an event is archived, and nobody is woken for it. */
export const TOO_OLD_MS = 3_600_000;
/** Longer than all retries take: a process that was away, or a backup that was put back, does not page about last week. */
const OUTDATED_MS = 24 * 3_600_000;
/** The same alert is told again only after this. */
export const REPEAT_AFTER_MS = 4 * 3_600_000;

export const isOutdated = (createdAt: number, now: number): boolean =>
  now - createdAt > OUTDATED_MS;

export const initialNotification: Notification = { status: 'absent' };

export function decideNotification(
  command: NotificationCommand,
  state: Notification,
): Decision<NotificationEvent> {
  switch (command.type) {
    case 'Tell':
      return tell(command, state);
    case 'RecordAttempt':
      return attempted(command, state);
    case 'SendAgain':
      if (!('told' in state)) return nobodyWasTold(command.data, state);
      return state.status === 'waiting'
        ? reject('NOTIFICATION_NOT_ENDED', 'The notification is on its way already.')
        : [created(command.data.notification, state.told, state.told.cause)];
    case 'AcknowledgeNotification':
      if (!('told' in state)) return nobodyWasTold(command.data, state);
      return state.told.acknowledgedBy === undefined
        ? [
            {
              type: 'NotificationAcknowledged',
              data: {
                ...about(command.data.notification, state.told.alert),
                by: command.metadata.actor,
              },
            },
          ]
        : [];
  }
}

const nobodyWasTold = (
  { notification }: { readonly notification: string },
  state: Extract<Notification, { status: 'absent' | 'suppressed' }>,
): Rejection =>
  state.status === 'absent'
    ? reject('NOTIFICATION_UNKNOWN', `There is no notification ${notification}.`)
    : reject('NOTIFICATION_SUPPRESSED', `Nobody was told of ${notification}: ${state.reason}.`);

const about = (notification: string, { thread, title, severity }: Alert) => ({
  notification,
  thread,
  title,
  severity,
});

const created = (
  notification: string,
  { alert, route, channel }: Pick<Told, 'alert' | 'route' | 'channel'>,
  cause: Cause,
): NotificationEvent => ({
  type: 'NotificationCreated',
  data: {
    ...about(notification, alert),
    text: alert.text,
    labels: alert.labels,
    fingerprint: alert.fingerprint,
    route,
    channel,
    cause,
  },
});

function tell(
  { data, metadata }: Extract<NotificationCommand, { type: 'Tell' }>,
  state: Notification,
): Decision<NotificationEvent> {
  const { notification, alert, route, cause } = data;
  const reason = suppression(data.happenedAt, metadata.at, route !== undefined, state);
  if (reason !== undefined || !route)
    return [
      {
        type: 'NotificationSuppressed',
        data: { ...about(notification, alert), reason: reason ?? 'no-route', cause },
      },
    ];
  return [created(notification, { alert, route: route.name, channel: route.channel }, cause)];
}

/** The named reason for telling nobody; the first line that applies decides. */
function suppression(
  happenedAt: number,
  now: number,
  hasRoute: boolean,
  state: Notification,
): string | undefined {
  if (now - happenedAt > TOO_OLD_MS) return 'too-old';
  if (!hasRoute) return 'no-route';
  // What was given up has told nobody.
  if (!('told' in state) || state.status === 'given-up') return undefined;
  return now - state.told.createdAt < REPEAT_AFTER_MS ? 'duplicate' : undefined;
}

function attempted(
  { data, metadata }: Extract<NotificationCommand, { type: 'RecordAttempt' }>,
  state: Notification,
): Decision<NotificationEvent> {
  if (state.status !== 'waiting') return [];
  const { channel, alert, round, attempts } = state.told;
  if (round !== data.round || attempts + 1 !== data.attempt) return [];
  const { notification, attempt, failure } = data;
  const to = { ...about(notification, alert), channel };
  if (!failure) return [{ type: 'NotificationDelivered', data: { ...to, attempts: attempt } }];
  const { message } = failure;
  const wait = failure.retryable
    ? nextAttemptAfter(attempt, data.random, failure.retryAfterMs)
    : undefined;
  return wait === undefined
    ? [{ type: 'NotificationGivenUp', data: { ...to, attempts: attempt, message } }]
    : [
        {
          type: 'NotificationAttemptFailed',
          data: { ...to, attempt, message, nextAttemptAt: metadata.at + wait },
        },
      ];
}

export function evolveNotification(
  state: Notification,
  { type, data, metadata }: Fact<NotificationEvent>,
): Notification {
  if (type === 'NotificationCreated') {
    const { thread, title, text, severity, labels, fingerprint, route, channel, cause } = data;
    const alert: Alert = { thread, title, text, severity, labels, fingerprint };
    const round = 'told' in state ? state.told.round + 1 : 1;
    const createdAt = metadata.at;
    const told = { alert, route, channel, cause, round, createdAt, attempts: 0 };
    return { status: 'waiting', told, nextAttemptAt: createdAt };
  }
  if (type === 'NotificationSuppressed')
    return 'told' in state
      ? state
      : {
          status: 'suppressed',
          alert: suppressedAlert(data),
          reason: data.reason,
          at: metadata.at,
        };
  if (!('told' in state)) return state;
  const { told } = state;
  switch (type) {
    case 'NotificationAcknowledged':
      return { ...state, told: { ...told, acknowledgedBy: data.by } };
    case 'NotificationAttemptFailed':
      return {
        status: 'waiting',
        told: { ...told, attempts: data.attempt },
        nextAttemptAt: data.nextAttemptAt,
        lastFailure: data.message,
      };
    case 'NotificationDelivered':
      return {
        status: 'delivered',
        told: { ...told, attempts: data.attempts },
        deliveredAt: metadata.at,
      };
    case 'NotificationGivenUp':
      return {
        status: 'given-up',
        told: { ...told, attempts: data.attempts },
        lastFailure: data.message,
      };
  }
}

const suppressedAlert = (
  data: Extract<NotificationEvent, { type: 'NotificationSuppressed' }>['data'],
): Alert => ({
  thread: data.thread,
  title: data.title,
  severity: data.severity,
  text: '',
  labels: {},
  fingerprint: '',
});
