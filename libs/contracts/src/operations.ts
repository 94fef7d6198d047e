import { z } from 'zod';
import { millis, name } from './fields.ts';
import { defineMessage, type MessageOf } from './message.ts';

/** A security event of a service or of another system: auth failures, rate-limit breaches. */
export const SecurityEventRecorded = defineMessage({
  type: 'SecurityEventRecorded',
  wire: 'tidegate.audit.security-event-recorded.v1',
  kind: 'event',
  topic: 'audit.events',
  schema: z.object({
    service: name,
    event: name,
    message: z.string().max(2_000),
    details: z.record(z.string(), z.json()).default({}),
  }),
  key: (data) => data.service,
  example: { service: 'flag-service', event: 'auth-failed', message: 'A key was not accepted.' },
});
export type SecurityEventRecorded = MessageOf<typeof SecurityEventRecorded>;

/** A signed RFC 6962 tree head over all audit records so far. Times in ms, binary values in base64. */
export const TreeSealed = defineMessage({
  type: 'TreeSealed',
  wire: 'tidegate.audit.tree-sealed.v1',
  kind: 'event',
  topic: 'audit.seals',
  schema: z.object({
    log: z.string(),
    size: z.int().min(0),
    root: z.string(),
    firstAt: millis.optional(),
    lastAt: millis.optional(),
    sealedAt: millis,
    keyId: z.string(),
    signature: z.string(),
  }),
  key: (data) => data.log,
  example: {
    log: 'audit',
    size: 2,
    root: '+sUPIb4ZZB6HJhVUuCAtG9sL5mN0GkBTOFKbhmEBDSE=',
    sealedAt: 1_790_000_000_000,
    keyId: 'ed25519:4f2a',
    signature: 'c2lnbmF0dXJl',
  },
});

/** What an application instance has applied, of flags in rollout. */
export const SdkAlive = defineMessage({
  type: 'SdkAlive',
  wire: 'tidegate.sdk.alive.v1',
  kind: 'heartbeat',
  topic: 'sdk.heartbeats',
  schema: z.object({
    environment: name,
    application: z.string().min(1).max(200),
    instance: z.string().min(1).max(200),
    /** Of flags that rollouts hold, and of those that changed last. */
    applied: z.record(z.string(), z.object({ epoch: z.int(), version: z.int(), at: millis })),
    /** Of all that the instance holds: equal to a view's, it has the same states. */
    digest: z.string().min(1).max(200).optional(),
  }),
  key: (data) => `${data.environment}/${data.application}/${data.instance}`,
  maxAgeMs: 60_000,
  example: {
    environment: 'production',
    application: 'checkout',
    instance: 'checkout-1',
    applied: { 'checkout-v2': { epoch: 1, version: 4, at: 1_790_000_000_000 } },
  },
});
export type SdkAlive = MessageOf<typeof SdkAlive>;

/** A record that one group could not handle, with its original bytes (base64) and where it stood. */
export const MessageDeadLettered = defineMessage({
  type: 'MessageDeadLettered',
  wire: 'tidegate.bus.message-dead-lettered.v1',
  kind: 'event',
  topic: 'dead-letter',
  schema: z.object({
    group: z.string(),
    origin: z.object({
      topic: z.string(),
      partition: z.int().min(0),
      offset: z.string(),
      incarnation: z.int().min(1),
    }),
    reason: z.enum([
      'undecodable',
      'unknown-version',
      'failed',
      'retries-spent',
      'ended-process',
      'stuck',
    ]),
    code: z.string(),
    message: z.string(),
    attempts: z.int().min(0),
    key: z.string().nullable(),
    headers: z.record(z.string(), z.string()),
    value: z.string(),
  }),
  key: (data) => data.group,
  example: {
    group: 'flag-service',
    origin: { topic: 'flag.commands', partition: 0, offset: '17', incarnation: 1 },
    reason: 'undecodable',
    code: 'MESSAGE_NOT_JSON',
    message: 'Unexpected end of JSON input',
    attempts: 1,
    key: 'production/checkout-v2',
    headers: { ce_type: 'tidegate.flag.put.v1' },
    value: 'eyJhIjox',
  },
});
export type MessageDeadLettered = MessageOf<typeof MessageDeadLettered>;
