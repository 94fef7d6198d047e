import { z } from 'zod';
import { millis, name } from './fields.ts';
import { flag } from './flag.ts';
import { SdkAlive } from './operations.ts';

/** One flag at one revision, as views and clients hold it; `flag` is null once it is deleted. */
export const flagRecord = z.object({
  key: name,
  epoch: z.int().min(0),
  version: z.int().min(0),
  flag: flag.nullable(),
});
export type FlagRecord = z.output<typeof flagRecord>;

/** Which states a view holds: equal digests mean equal (key, epoch, version) of all its flags. */
const digest = z.string().min(1).max(200);

/** Body of `GET …/snapshot` and of the stream's `snapshot`: every flag of an environment, tombstones too. */
export const flagSnapshot = z.object({ digest, flags: z.array(flagRecord) });
export type FlagSnapshot = z.output<typeof flagSnapshot>;

/** A snapshot whose flags are looked at one by one: one that a client cannot read costs it only that one. */
export const flagSnapshotEnvelope = z.object({ digest, flags: z.array(z.unknown()) });

/**
 * The events of `GET …/stream?digest=<digest>`, by their `event:` field; each `data:` is one JSON text.
 * First `snapshot`, or `unchanged` if the client's digest is the current one; then `flag` for each
 * change, and a `heartbeat` every STREAM_HEARTBEAT_MS. No `id:` is used: a client merges by revision.
 */
export const flagStreamEvents = {
  snapshot: flagSnapshot,
  unchanged: z.object({ digest }),
  flag: flagRecord,
  heartbeat: z.object({ at: millis }),
} as const;
export type FlagStreamEvent = keyof typeof flagStreamEvents;

export const STREAM_HEARTBEAT_MS = 5_000;

/** Body of `POST …/heartbeats`: the data of SdkAlive; the path names the environment. */
export const sdkHeartbeat = SdkAlive.schema.omit({ environment: true });
export type SdkHeartbeat = z.output<typeof sdkHeartbeat>;
