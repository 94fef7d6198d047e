import { type Batch, sized, type SizeBounds, type Sizing, within } from './batch-size.ts';
import type { Facts } from './throttle.ts';

/** A batch that has ended. */
export interface Ended extends Batch {
  /** Without what it took to find its documents; left out: that was nothing to speak of. */
  readonly workMs?: number;
}

/** How a run has gone lately, and what follows from it. */
export interface Pace extends Sizing {
  /** Times of the newest batches of the smallest size, ms. */
  readonly smallest: readonly number[];
  /** Before the next batch, as `niceRatio` says. */
  readonly restMs: number;
  readonly slow?: Facts['slow'];
}

const MEASURED = 20;
const ENOUGH = 5;
/** So many times the target, by the smallest batches there may be. */
const TOO_SLOW = 5;
const REST_WHEN_SLOW_MS = 10_000;

export const firstPace = (size: number, bounds: SizeBounds): Pace => ({
  size: within(bounds, size),
  smallest: [],
  restMs: 0,
});

export function paced(
  pace: Pace,
  batch: Ended,
  bounds: SizeBounds,
  { at, niceRatio = 0 }: { readonly at: number; readonly niceRatio?: number | undefined },
): Pace {
  const isSmallest = pace.size <= bounds.least;
  const smallest = isSmallest ? [...pace.smallest, batch.tookMs].slice(-MEASURED) : [];
  const { slow: _over, ...before } = pace;
  const next = {
    ...before,
    // A page may cost as much to find however short it is: smaller batches would only have more of them found.
    ...sized(pace, { ...batch, tookMs: batch.workMs ?? batch.tookMs }, bounds),
    smallest,
    restMs: batch.tookMs * niceRatio,
  };
  const p95 = percentile95(smallest);
  if (smallest.length < ENOUGH || p95 <= TOO_SLOW * bounds.targetMs) return next;
  // Nothing is learnt while nothing is written: after the rest it is tried again.
  const message =
    `95 % of batches take up to ${Math.round(p95)} ms, though they cannot be smaller than ${bounds.least}; ` +
    `${bounds.targetMs} ms are wanted.`;
  return { ...next, smallest: [], slow: { until: at + REST_WHEN_SLOW_MS, message } };
}

/** Nearest rank. */
const percentile95 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? 0;
