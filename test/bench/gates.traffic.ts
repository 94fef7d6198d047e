import type { Model, Unread } from './gates.models.ts';
import { Draws } from './gates.random.ts';

/** What happened to one part of the traffic, by interval, and what its counters said at the interval's end. */
export interface Arm {
  readonly requests: Float64Array;
  readonly counterOfRequests: Float64Array;
  readonly counterOfBad: Float64Array;
}
/** Interval i ends at (i + 1) · intervalMs. */
export interface Trace {
  readonly intervalMs: number;
  readonly canary: readonly Arm[];
  /** Of each guard's metric; empty if nothing is compared. */
  readonly baseline: readonly Arm[];
  readonly unread: readonly Unread[];
}

export interface Wanted {
  readonly intervals: number;
  readonly intervalMs: number;
  /** Of the canary. */
  readonly requestsPerSecond: number;
  /** The baseline's requests for each of the canary's; 0: there is none. */
  readonly baseline: number;
  /** Healthy rate of failures of each guard's metric. */
  readonly rates: readonly number[];
  /** From this interval on the first metric of the canary fails so often. */
  readonly change?: { readonly at: number; readonly rate: number };
}

/** The same traffic for the same seed. */
export function traffic(model: Model, wanted: Wanted, seed: number): Trace {
  const draws = new Draws(seed);
  const { intervals, intervalMs, requestsPerSecond, rates, change } = wanted;
  const [volume, badness] = [model.volume(draws), model.badness(draws)];
  const [unread, reset] = [model.unread(draws), model.resets(draws)];
  const mean = (requestsPerSecond * intervalMs) / 1_000;
  const canary = rates.map(() => arm(intervals));
  const baseline = wanted.baseline === 0 ? [] : rates.map(() => arm(intervals));
  const read: Unread[] = [];
  for (let i = 0; i < intervals; i += 1) {
    const [more, worse, anew] = [volume(), badness(), reset()];
    const requests = draws.poisson(mean * more);
    const others = draws.poisson(mean * more * wanted.baseline);
    for (const [guard, rate] of rates.entries()) {
      const changed = change !== undefined && guard === 0 && i >= change.at ? change.rate : rate;
      tell(draws, canary[guard], i, requests, changed * worse, model.clump, anew);
      tell(draws, baseline[guard], i, others, rate * worse, model.clump, false);
    }
    read.push(unread());
  }
  return { intervalMs, canary, baseline, unread: read };
}

const arm = (intervals: number): Arm => ({
  requests: new Float64Array(intervals),
  counterOfRequests: new Float64Array(intervals),
  counterOfBad: new Float64Array(intervals),
});

/** What a process counted before it began anew is lost, as it would be. */
function tell(
  draws: Draws,
  to: Arm | undefined,
  i: number,
  requests: number,
  rate: number,
  clump: number,
  anew: boolean,
): void {
  if (!to) return;
  const kept = anew ? Math.floor(requests * draws.next()) : requests;
  const failed = draws.binomial(Math.floor(kept / clump), Math.min(1, rate)) * clump;
  to.requests[i] = requests;
  to.counterOfRequests[i] = kept + (anew ? 0 : (to.counterOfRequests[i - 1] ?? 0));
  to.counterOfBad[i] = failed + (anew ? 0 : (to.counterOfBad[i - 1] ?? 0));
}
