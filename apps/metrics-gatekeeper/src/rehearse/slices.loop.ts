import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@tidegate/kernel';

/** Others wait no longer than this for their turn. */
const SLICE_MS = 10;

/**
 * For work that takes seconds in a process that has other things to do: awaited between two pieces of it, it lets
 * everything else have its turn whenever a slice of time is used up.
 * @param signal thrown as soon as it is aborted
 */
export function inSlices(clock: Clock, signal?: AbortSignal): () => Promise<void> {
  let begun = clock.now();
  return async () => {
    if (clock.now() - begun < SLICE_MS) return;
    await setImmediate();
    signal?.throwIfAborted();
    begun = clock.now();
  };
}
