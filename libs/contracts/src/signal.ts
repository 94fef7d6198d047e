import { z } from 'zod';
import { millis, name } from './fields.ts';
import { defineMessage, type MessageOf } from './message.ts';

const labels = z.record(z.string(), z.string()).default({});

/** Something an outside system has noticed: complaints, critical errors, data loss, a security finding. */
export const SignalReported = defineMessage({
  type: 'SignalReported',
  wire: 'tidegate.signal.reported.v1',
  kind: 'event',
  topic: 'signals',
  schema: z.object({
    environment: name,
    signal: name,
    count: z.number().min(0).default(1),
    labels,
    message: z.string().max(2_000).optional(),
  }),
  key: (data) => `${data.environment}/${data.signal}`,
  example: { environment: 'production', signal: 'data-loss', message: 'order 17 has no items' },
});
export type SignalReported = MessageOf<typeof SignalReported>;

/** A reported signal is counted, once: what rollouts are judged by. */
export const SignalCounted = defineMessage({
  type: 'SignalCounted',
  wire: 'tidegate.signal.counted.v1',
  kind: 'event',
  topic: 'signals',
  schema: z.object({
    environment: name,
    signal: name,
    labels,
    count: z.number().gt(0),
    /** Of these labels, all that was ever counted. */
    total: z.number().gt(0),
    /** When it was reported; not later than when it was counted. */
    reportedAt: millis,
  }),
  key: (data) => `${data.environment}/${data.signal}`,
  example: {
    environment: 'production',
    signal: 'data-loss',
    count: 1,
    total: 3,
    reportedAt: 1_790_000_000_000,
  },
});
export type SignalCounted = MessageOf<typeof SignalCounted>;
