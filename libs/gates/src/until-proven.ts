import type { CountsSince } from './facts.ts';

/** At this many times what was seen, it is no longer told. */
const FAR = 2 ** 20;
/** Nor beyond so many events, where a single look takes longer than a check may. */
const MOST_COUNTED = 1e9;

/**
 * The total at which something is proven if everything goes on as it did, within a hundredth; null if it never is, or only
 * far from now.
 */
export function untilProven(
  counts: CountsSince,
  proves: (counts: CountsSince) => boolean,
): number | null {
  const isProven = (factor: number) => proves(times(counts, factor));
  const events = counts.bad + (counts.baseline?.bad ?? 0);
  const far = Math.min(FAR, MOST_COUNTED / Math.max(1, events));
  if (counts.total === 0 || far < 1 || !isProven(far)) return null;
  let low = 1;
  let high = far;
  while (high / low > 1.01) {
    const middle = Math.sqrt(low * high);
    if (isProven(middle)) high = middle;
    else low = middle;
  }
  return Math.ceil(counts.total * high);
}

function times({ start, bad, total, baseline }: CountsSince, factor: number): CountsSince {
  const scaled = { start, bad: bad * factor, total: total * factor };
  if (baseline === undefined) return scaled;
  return {
    ...scaled,
    baseline: {
      bad: baseline.bad * factor,
      total: baseline.total * factor,
      expected: baseline.expected * factor,
    },
  };
}
