import { z } from 'zod';
import { flagKey, millis, name } from './fields.ts';
import { flag } from './flag.ts';
import { SdkAlive } from './operations.ts';
import { segment } from './segment.ts';

/** One flag at one revision, as views and clients hold it; `flag` is null once it is deleted. */
export const flagRecord = z.object({
  key: flagKey,
  epoch: z.int().min(0),
  version: z.int().min(0),
  flag: flag.nullable(),
});
export type FlagRecord = z.output<typeof flagRecord>;

/** One segment at one revision; `segment` is null once it is deleted. */
export const segmentRecord = z.object({
  key: name,
  epoch: z.int().min(0),
  version: z.int().min(0),
  segment: segment.nullable(),
});
export type SegmentRecord = z.output<typeof segmentRecord>;

/** What a view holds: flags, and the segments that they refer to. */
export type ViewRecord = FlagRecord | SegmentRecord;

/** Which states a view holds: equal digests mean equal (key, epoch, version) of all its flags and segments. */
const digest = z.string().min(1).max(200);

/** Body of `GET …/snapshot` and of the stream's `snapshot`: all flags and segments of an environment, tombstones too. */
export const flagSnapshot = z.object({
  digest,
  flags: z.array(flagRecord),
  segments: z.array(segmentRecord).default([]),
});
export type FlagSnapshot = z.output<typeof flagSnapshot>;

/** A snapshot whose records are looked at one by one: one that a client cannot read costs it only that one. */
export const flagSnapshotEnvelope = z.object({
  digest,
  flags: z.array(z.unknown()),
  segments: z.array(z.unknown()).default([]),
});

/**
 * The events of `GET …/stream?digest=<digest>`, by their `event:` field; each `data:` is one JSON text.
 * First `snapshot`, or `unchanged` if the client's digest is the current one; then `flag` or `segment` for each
 * change, and a `heartbeat` every STREAM_HEARTBEAT_MS. No `id:` is used: a client merges by revision.
 */
export const flagStreamEvents = {
  snapshot: flagSnapshot,
  unchanged: z.object({ digest }),
  flag: flagRecord,
  segment: segmentRecord,
  heartbeat: z.object({ at: millis }),
} as const;
export type FlagStreamEvent = keyof typeof flagStreamEvents;

/** At most so many entries. */
const boundedRecord = <V extends z.ZodType>(value: V, most: number) =>
  z
    .record(z.string().min(1).max(200), value)
    .refine((record) => Object.keys(record).length <= most, `at most ${most} entries`);

export const STREAM_HEARTBEAT_MS = 5_000;

/**
 * A server that takes no more streams answers the request for one with 429 (or 503) and this header: the client polls
 * `GET …/snapshot` so often, with `If-None-Match`, and asks for a stream again after the seconds of `Retry-After`.
 */
export const POLL_SECONDS_HEADER = 'tidegate-poll-seconds';

const evaluated = z.int().min(0).max(1_000_000_000);

/**
 * Body of `POST …/heartbeats`: the data of SdkAlive, whose environment the path names, and what the instance has
 * evaluated since its last heartbeat that was taken.
 */
export const sdkHeartbeat = SdkAlive.schema.omit({ environment: true }).extend({
  /** By flag and variant; `ERROR` instead of a variant: the caller's default had to do. */
  evaluations: boundedRecord(boundedRecord(evaluated, 200), 5_000).optional(),
  /** Keys that were asked for and that no flag has. */
  unknown: z.array(z.string().min(1).max(200)).max(100).optional(),
});
export type SdkHeartbeat = z.output<typeof sdkHeartbeat>;
