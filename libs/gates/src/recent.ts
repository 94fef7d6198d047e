/** Counts of an immediate guard: all since the step began, or of the newest time alone, to a sixtieth of it. */
export interface Recent {
  /** Null for all. */
  readonly withinMs: number | null;
  /** The value is so many times the count: a rate is of its own time. */
  readonly scale: number;
  /** Counts that are further ahead than this are of before the clock was set back. */
  readonly gapMs: number;
  /** By sixtieths of that time since 1970, oldest first. */
  readonly counts: readonly (readonly [sixtieth: number, count: number])[];
}

const PARTS = 60;

export const noRecent = (withinMs: number | null, gapMs: number, scale = 1): Recent => ({
  withinMs,
  scale,
  gapMs,
  counts: [],
});

/** The newest sixtieth that may have happened by then. */
const newestAt = (gapMs: number, withinMs: number, at: number): number =>
  Math.floor(((at + gapMs) * PARTS) / withinMs);

/** Of what was counted over a longer time than that, the part that may lie within it. */
export function withRecent(recent: Recent, from: number, to: number, count: number): Recent {
  const { withinMs, gapMs } = recent;
  if (withinMs === null)
    return count === 0
      ? recent
      : { ...recent, counts: [[0, (recent.counts[0]?.[1] ?? 0) + count]] };
  const newest = newestAt(gapMs, withinMs, to);
  const counts = recent.counts.filter(([each]) => each <= newest);
  if (count === 0) return { ...recent, counts };
  const sixtieth = Math.floor((to * PARTS) / withinMs);
  const part = count * Math.min(1, withinMs / (to - from));
  const others = counts.filter(([each]) => each !== sixtieth && each >= sixtieth - PARTS);
  const known = counts.find(([each]) => each === sixtieth)?.[1] ?? 0;
  const all = [...others, [sixtieth, known + part] as const];
  return { ...recent, counts: all.sort(([a], [b]) => a - b) };
}

export function recentAt({ withinMs, scale, gapMs, counts }: Recent, at: number): number {
  const [oldest, newest] =
    withinMs === null
      ? [0, 0]
      : [Math.floor(((at - withinMs) * PARTS) / withinMs) + 1, newestAt(gapMs, withinMs, at)];
  const recent = counts.filter(([sixtieth]) => sixtieth >= oldest && sixtieth <= newest);
  return scale * recent.reduce((sum, [, count]) => sum + count, 0);
}
