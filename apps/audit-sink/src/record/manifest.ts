import { canonicalJson } from '@tidegate/kernel';
import { z } from 'zod';

/** Where a record stood in the bus. `offset` is decimal. */
const origin = z.object({
  topic: z.string(),
  incarnation: z.int(),
  partition: z.int(),
  offset: z.string(),
});
export type RecordOrigin = z.output<typeof origin>;

/**
 * What is known of a record for ever, also when its content has been redacted. Its canonical JSON in UTF-8
 * is a leaf of the tree. `null`: the record did not say, or a gap has none.
 *
 *     v              1
 *     position       place in the log, from 0: the index of the leaf
 *     kind           message, or gap: records of a partition that were gone before they could be recorded
 *     contentHash    base64 of SHA-256(salt ‖ content as it stands in its line)
 *     occurredAt     ce_time, ms since 1970
 *     recordedAt     when the bus took it, ms since 1970
 *     source, id     identity of the message
 */
export const manifest = z.object({
  v: z.literal(1),
  position: z.int().min(0),
  kind: z.enum(['message', 'gap']),
  origin,
  contentHash: z.string().nullable(),
  occurredAt: z.int().nullable(),
  recordedAt: z.int(),
  who: z.string().nullable(),
  type: z.string().nullable(),
  correlationId: z.string().nullable(),
  source: z.string().nullable(),
  id: z.string().nullable(),
  /** Of a gap: how many are missing from `origin` on, unknown when a topic was made anew. */
  missing: z.string().nullable().optional(),
});
export type Manifest = z.output<typeof manifest>;

/** The record itself, exactly: bytes that are UTF-8 stand as text, others as base64. */
export const content = z.object({
  key: z.string().nullable(),
  headers: z.record(z.string(), z.string()),
  value: z.union([z.object({ utf8: z.string() }), z.object({ base64: z.string() })]).nullable(),
});
export type Content = z.output<typeof content>;

export const leafText = (record: Manifest): string => canonicalJson(record);
