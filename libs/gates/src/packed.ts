import { z } from 'zod';
import type { CountsSince, Facts } from './facts.ts';

/**
 * Facts as they stand in a verdict: the same numbers without what repeats itself. One message has the verdicts of all
 * guards, each with hundreds of samples or starts.
 */
export type PackedFacts = Omit<Facts, 'since' | 'samples'> & {
  /** [start, bad, total], and compared the baseline's [bad, total, expected]. */
  readonly since?: readonly (readonly number[])[];
  /** Oldest first; the newest is `ageMs` old, and each is `stepMs` older than the next. */
  readonly samples?: Samples | PackedSamples;
};
type Samples = NonNullable<Facts['samples']>;
interface PackedSamples {
  readonly ageMs: number;
  readonly stepMs: number;
  readonly values: readonly (number | null)[];
}

export function packed({ since, samples, ...rest }: Facts): PackedFacts {
  return {
    ...rest,
    ...(since && { since: since.map(rowOf) }),
    ...(samples && { samples: packedSamples(samples) }),
  };
}

const rowOf = ({ start, bad, total, baseline }: CountsSince): readonly number[] =>
  baseline === undefined
    ? [start, bad, total]
    : [start, bad, total, baseline.bad, baseline.total, baseline.expected];

/** What was not sampled step by step stays as it is. */
function packedSamples(samples: Samples): Samples | PackedSamples {
  const [newest, before] = [samples.at(-1), samples.at(-2)];
  if (newest === undefined || before === undefined) return samples;
  const [ageMs] = newest;
  const stepMs = before[0] - ageMs;
  const values = samples.map(([, value]) => value);
  const isEven = pairsOf({ ageMs, stepMs, values }).every(([age], i) => age === samples[i]?.[0]);
  return isEven ? { ageMs, stepMs, values } : samples;
}

const pairsOf = ({ ageMs, stepMs, values }: PackedSamples): Samples =>
  values.map((value, i) => [ageMs + (values.length - 1 - i) * stepMs, value] as const);

const count = z.number().min(0);
const maybe = z.number().nullable();
const start = z.int().min(0);
const asRow = z
  .union([z.tuple([start, count, count]), z.tuple([start, count, count, count, count, count])])
  .transform(([first, bad, total, ...baseline]): CountsSince => {
    const [theirBad, theirTotal, expected] = baseline;
    if (theirBad === undefined || theirTotal === undefined || expected === undefined)
      return { start: first, bad, total };
    return { start: first, bad, total, baseline: { bad: theirBad, total: theirTotal, expected } };
  });
const asObject = z.object({
  start,
  bad: count,
  total: count,
  baseline: z.object({ bad: count, total: count, expected: count }).optional(),
});

/** As they are packed, or as they were. */
export const sinceOf = z.array(z.union([asRow, asObject]));
export const samplesOf = z.union([
  z.array(z.tuple([z.number(), maybe])),
  z.object({ ageMs: z.number(), stepMs: z.number(), values: z.array(maybe) }).transform(pairsOf),
]);
