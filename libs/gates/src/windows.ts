/**
 * Counts by the time in which they happened: window i holds [bad, total] of [i, i+1) × widthMs since the stage opened.
 * At most 128 windows: when time goes beyond, the width doubles and neighbours 2i and 2i+1 are added up. So the result
 * depends on what was counted and not on its order, and a test that starts at a window's edge stays possible.
 */
export interface Windows {
  readonly widthMs: number;
  readonly counts: readonly (readonly [bad: number, total: number])[];
}

export const MOST_WINDOWS = 128;

export const noWindows = (widthMs: number): Windows => ({
  widthMs: Math.max(1_000, widthMs),
  counts: [],
});

/** Adds counts of the instant `sinceMs` after the stage opened; what comes from before counts as its beginning. */
export function count(windows: Windows, sinceMs: number, bad: number, total: number): Windows {
  if (bad === 0 && total === 0) return windows;
  const elapsed = Math.max(0, sinceMs);
  let { widthMs, counts } = windows;
  while (Math.floor(elapsed / widthMs) >= MOST_WINDOWS) {
    widthMs *= 2;
    counts = merged(counts);
  }
  const index = Math.floor(elapsed / widthMs);
  const next = Array.from(
    { length: Math.max(counts.length, index + 1) },
    (_, i) => counts[i] ?? NONE,
  );
  const [before, of] = next[index] ?? NONE;
  next[index] = [before + bad, of + total];
  return { widthMs, counts: next };
}

/** [bad, total] of all windows. */
export const sum = ({ counts }: Windows): readonly [bad: number, total: number] =>
  counts.reduce(([a, b], [bad, total]) => [a + bad, b + total], NONE);

const NONE = [0, 0] as const;

function merged(counts: Windows['counts']): Windows['counts'] {
  return Array.from({ length: Math.ceil(counts.length / 2) }, (_, i) => {
    const [bad, total] = counts[2 * i] ?? NONE;
    const [moreBad, moreTotal] = counts[2 * i + 1] ?? NONE;
    return [bad + moreBad, total + moreTotal] as const;
  });
}
