import { columnsOf, edgeOf, type RecordedSeries } from '@tidegate/metrics-source';
import { changedFrom, growthOf } from './grown.ts';

interface Bucket {
  readonly series: RecordedSeries;
  readonly edge: number;
  readonly times: Float64Array;
  /** Observations up to the edge since the change. */
  readonly growth: Float64Array;
}

/**
 * One histogram's buckets as if every observation after `from` had been `more` larger, in the unit of its edges. What
 * lies between two edges is taken to be spread evenly, as Prometheus does.
 */
export function slowed(
  buckets: readonly RecordedSeries[],
  more: number,
  from: number,
): RecordedSeries[] {
  const known = buckets
    .flatMap((series): Bucket[] => {
      const edge = edgeOf(series.labels['le']);
      const columns = columnsOf(series);
      return edge === undefined
        ? []
        : [{ series, edge, times: columns.times, growth: growthOf(columns, from) }];
    })
    .toSorted((a, b) => a.edge - b.edge);
  return known.map(({ series, edge, growth, times }) =>
    changedFrom(series, from, (value, index) =>
      edge === Infinity
        ? value
        : value - (growth[index] ?? 0) + Math.floor(upTo(known, edge - more, times[index] ?? 0)),
    ),
  );
}

/** How many observations there have been up to a size, at an instant. */
function upTo(buckets: readonly Bucket[], size: number, at: number): number {
  if (size <= 0) return 0;
  const next = buckets.findIndex(({ edge }) => edge >= size);
  const above = buckets[next];
  if (!above) return 0;
  const below = buckets[next - 1];
  const high = growthAt(above, at);
  const low = below ? growthAt(below, at) : 0;
  const from = below?.edge ?? 0;
  // Nobody knows how far beyond the last edge something was: at it, nothing more is known to be below.
  if (above.edge === Infinity) return low;
  return low + ((high - low) * (size - from)) / (above.edge - from);
}

/** Buckets of one scrape have one time. */
function growthAt({ times, growth }: Bucket, at: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return growth[low - 1] ?? 0;
}
