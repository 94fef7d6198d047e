import type { CountsSince } from './facts.ts';

/** At this many times what was seen, it is no longer told. */
const FAR = 2 ** 20;

/** The total at which something is proven if everything goes on as it did, within a hundredth; null if it never is. */
export function untilProven(
  counts: CountsSince,
  proves: (counts: CountsSince) => boolean,
): number | null {
  const isProven = (factor: number) => proves(times(counts, factor));
  if (counts.total === 0 || !isProven(FAR)) return null;
  let low = 1;
  let high = FAR;
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
