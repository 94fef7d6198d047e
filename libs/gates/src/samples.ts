/**
 * What a sustained guard has seen, by steps of one length: whoever goes on from it after a restart or a gap finds what
 * was there, and no timer.
 */
export interface Samples {
  readonly stepMs: number;
  /** So many steps are judged. */
  readonly steps: number;
  /** A value is so many times bad / total. */
  readonly scale: number;
  /** What is read as of an instant that is older than the newest by more means that the clock was set back. */
  readonly gapMs: number;
  /** Nothing of before counts. */
  readonly since: number;
  /** Read up to here; null before the first reading. */
  readonly until: number | null;
  /** Oldest first. `step` counts from 1970, `readMs` is how much of it was read. */
  readonly kept: readonly (readonly [step: number, bad: number, total: number, readMs: number])[];
}
type Step = Samples['kept'][number];

export const noSamples = (
  {
    stepMs,
    forMs,
    scale,
    gapMs,
  }: {
    readonly stepMs: number;
    readonly forMs: number;
    readonly scale: number;
    readonly gapMs: number;
  },
  since: number,
): Samples => {
  const steps = Math.ceil(forMs / stepMs);
  return { stepMs, steps, scale, gapMs, since, until: null, kept: [] };
};

/** Once the clock was set back, nobody knows when what was sampled happened: it begins anew. */
const inOrder = (samples: Samples, from: number, to: number): Samples =>
  (samples.until ?? to) - to > samples.gapMs
    ? { ...samples, since: Math.min(samples.since, from), until: null, kept: [] }
    : samples;

/** What was counted between two readings. `weight`: of so many targets, one; what it read is that part of a step. */
export interface Interval {
  readonly from: number;
  readonly to: number;
  readonly bad: number;
  readonly total: number;
  readonly weight: number;
}

/** Counts are taken to have happened evenly in the interval, and belong to the steps that it lies in. */
export function withCounts(known: Samples, { from, to, bad, total, weight }: Interval): Samples {
  const samples = inOrder(known, from, to);
  const { stepMs, since } = samples;
  const kept = new Map(samples.kept.map((each) => [each[0], each]));
  const first = Math.max(from, since);
  for (let step = Math.floor(first / stepMs); step * stepMs < to; step += 1) {
    const ms = Math.min(to, (step + 1) * stepMs) - Math.max(first, step * stepMs);
    const part = ms / (to - from);
    const [, b, t, r] = kept.get(step) ?? [step, 0, 0, 0];
    kept.set(step, [step, b + bad * part, t + total * part, r + ms * weight]);
  }
  return read(samples, kept, to);
}

/** A value holds for the step it was read in, and for those before whose middle has passed since the last reading. */
export function withValue(known: Samples, from: number | null, to: number, value: number): Samples {
  const samples = inOrder(known, from ?? to, to);
  const { stepMs, since } = samples;
  const kept = new Map(samples.kept.map((each) => [each[0], each]));
  const last = Math.floor(to / stepMs);
  const first = from === null ? last : Math.floor(Math.max(from, since) / stepMs - 0.5) + 1;
  for (let step = Math.min(first, last); step <= last; step += 1)
    kept.set(step, [step, value, 1, stepMs]);
  return read(samples, kept, to);
}

/** Nothing can be said of the time up to here. */
export function withGap(known: Samples, to: number): Samples {
  const samples = inOrder(known, to, to);
  return read(samples, new Map(samples.kept.map((each) => [each[0], each])), to);
}

function read(samples: Samples, kept: ReadonlyMap<number, Step>, to: number): Samples {
  const { stepMs, steps } = samples;
  const until = Math.max(to, samples.until ?? to);
  const oldest = Math.floor(until / stepMs) - steps;
  const steady = [...kept.values()].filter(([step]) => step >= oldest).sort(([a], [b]) => a - b);
  return { ...samples, until, kept: steady };
}

/**
 * The newest steps that were read to their end, by age; null where too little was read, or there was no request, and
 * where they are of a time that is still to come.
 */
export function samplesAt(
  { stepMs, steps, scale, gapMs, until, kept }: Samples,
  at: number,
): (readonly [ageMs: number, value: number | null])[] {
  const newest = Math.floor((until ?? 0) / stepMs) - 1;
  const known = new Map(kept.map((each) => [each[0], each]));
  return Array.from({ length: steps }, (_, i) => {
    const step = newest - steps + 1 + i;
    const [, bad, total, readMs] = known.get(step) ?? [step, 0, 0, 0];
    const ageMs = at - (step + 1) * stepMs;
    const isRead = 2 * readMs >= stepMs && total > 0 && ageMs >= -gapMs;
    return [ageMs, isRead ? (bad / total) * scale : null] as const;
  });
}
