/** Documents in a batch, and the time that one should take. */
export interface SizeBounds {
  readonly most: number;
  readonly least: number;
  readonly targetMs: number;
}

export interface Batch {
  readonly documents: number;
  readonly tookMs: number;
}

/** How large the next batch is to be, and what a document has cost lately. */
export interface Sizing {
  readonly size: number;
  /** Smoothed, ms; undefined before the first batch. */
  readonly costMs?: number;
}

/** Within this share of the target the size stays as it is; else its middle is aimed at. */
const EFFICIENCY = { from: 0.9, to: 0.95 };
const AIM = (EFFICIENCY.from + EFFICIENCY.to) / 2;
const MOST_GROWTH = 1.2;
/** Weight of the newest batch. */
const SMOOTHING = 0.2;

/**
 * Source: BatchOptimizer of GitLab's batched background migrations: efficiency = time of a batch / its target, aimed at
 * 0.9 … 0.95, growth of at most a fifth. Other than there a slow batch counts at once and only fast ones are smoothed: a
 * database in trouble gets smaller batches now, and larger ones again step by step.
 */
export function sized(before: Sizing, batch: Batch, bounds: SizeBounds): Sizing {
  const newest = batch.tookMs / Math.max(1, batch.documents);
  const costMs = before.costMs === undefined ? newest : smoothed(before.costMs, newest);
  const efficiency = (Math.max(newest, costMs) * before.size) / bounds.targetMs;
  const size = before.size * growthFor(efficiency);
  return { size: within(bounds, size > before.size ? Math.ceil(size) : Math.floor(size)), costMs };
}

const smoothed = (before: number, newest: number): number => before + SMOOTHING * (newest - before);

function growthFor(efficiency: number): number {
  if (efficiency >= EFFICIENCY.from && efficiency <= EFFICIENCY.to) return 1;
  return Math.min(MOST_GROWTH, AIM / efficiency);
}

export const within = ({ least, most }: SizeBounds, size: number): number =>
  Math.min(most, Math.max(least, size));
