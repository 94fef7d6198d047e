import { z } from 'zod';
import { reason } from './fields.ts';
import { family } from './family.ts';
import { defineMessage, type DraftOf, type MessageOf } from './message.ts';

const of = {
  notification: z.string().min(1),
  /** What one thread is about, e.g. a rollout. */
  thread: z.string(),
  title: z.string(),
  severity: z.enum(['info', 'warning', 'critical']),
};
const ofExample = {
  notification: 'n-3',
  thread: 'r-42',
  title: 'demo-broken rolled back in production',
  severity: 'critical' as const,
};
const event = family({
  noun: 'notification',
  kind: 'event',
  topic: 'notification.events',
  fields: of,
  example: ofExample,
  key: 'notification',
});

export const NotificationCreated = event(
  'NotificationCreated',
  'created',
  {
    text: z.string(),
    labels: z.record(z.string(), z.string()),
    fingerprint: z.string(),
    route: z.string(),
    channel: z.string(),
    cause: z.object({ id: z.string(), type: z.string() }),
  },
  {
    text: 'error-rate: 63 of 1 204 requests failed (5.2 %), limit 1 %.',
    labels: { severity: 'critical' },
    fingerprint: 'RolloutRolledBack/r-42',
    route: 'critical',
    channel: 'on-call',
    cause: { id: '7f1c', type: 'RolloutRolledBack' },
  },
);
/** A send that did not happen, and its named reason. */
export const NotificationSuppressed = event(
  'NotificationSuppressed',
  'suppressed',
  { reason: z.string(), cause: z.object({ id: z.string(), type: z.string() }) },
  { reason: 'duplicate', cause: { id: '7f1c', type: 'RolloutRolledBack' } },
);
export const NotificationDelivered = event(
  'NotificationDelivered',
  'delivered',
  { channel: z.string(), attempts: z.int().min(1) },
  { channel: 'on-call', attempts: 1 },
);
export const NotificationAttemptFailed = event(
  'NotificationAttemptFailed',
  'attempt-failed',
  {
    channel: z.string(),
    attempt: z.int().min(1),
    message: z.string(),
    nextAttemptAt: z.number(),
  },
  {
    channel: 'on-call',
    attempt: 1,
    message: 'The receiver answered 503.',
    nextAttemptAt: 1_790_000_001_000,
  },
);
/** No attempt is left: shown by `tidegate notify`, replayed by an operator. */
export const NotificationGivenUp = event(
  'NotificationGivenUp',
  'given-up',
  { channel: z.string(), attempts: z.int().min(1), message: z.string() },
  { channel: 'on-call', attempts: 8, message: 'The receiver answered 503.' },
);
export const NotificationAcknowledged = event(
  'NotificationAcknowledged',
  'acknowledged',
  { by: z.string() },
  { by: 'robin' },
);

/** HTTP only. */
export const AcknowledgeNotification = defineMessage({
  type: 'AcknowledgeNotification',
  wire: 'tidegate.notification.acknowledge.v1',
  kind: 'command',
  topic: 'notification.events',
  schema: z.object({ notification: z.string().min(1), reason: reason.optional() }),
  key: (data) => data.notification,
  example: { notification: 'n-3' },
});
export type AcknowledgeNotification = MessageOf<typeof AcknowledgeNotification>;

export type NotificationEvent =
  | DraftOf<typeof NotificationCreated>
  | DraftOf<typeof NotificationSuppressed>
  | DraftOf<typeof NotificationDelivered>
  | DraftOf<typeof NotificationAttemptFailed>
  | DraftOf<typeof NotificationGivenUp>
  | DraftOf<typeof NotificationAcknowledged>;
