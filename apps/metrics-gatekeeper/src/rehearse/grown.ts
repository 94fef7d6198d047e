import {
  columnsOf,
  newColumns,
  type PointColumns,
  type RecordedSeries,
  setPoint,
} from '@tidegate/metrics-source';

/** How much a counter has grown since an instant, at each of its points: 0 until then, and never less again. */
export function growthOf({ times, values, stale }: PointColumns, from: number): Float64Array {
  const growth = new Float64Array(times.length);
  let total = 0;
  let before: number | undefined;
  for (let index = 0; index < times.length; index += 1) {
    if (stale[index] !== 1) {
      const value = values[index] ?? 0;
      const isReset = before !== undefined && value < before;
      if (before !== undefined && (times[index] ?? 0) > from)
        total += isReset ? value : value - before;
      before = value;
    }
    growth[index] = total;
  }
  return growth;
}

/** The same series, its values changed from an instant on; what was stale stays so. */
export function changedFrom(
  series: RecordedSeries,
  from: number,
  change: (value: number, index: number) => number | 'stale',
): RecordedSeries {
  const columns = columnsOf(series);
  const { times, values, stale } = columns;
  const points = newColumns(times.length);
  for (let index = 0; index < times.length; index += 1) {
    const at = times[index] ?? 0;
    const value = values[index] ?? 0;
    const changed = at > from && stale[index] !== 1 ? change(value, index) : value;
    setPoint(points, index, at, stale[index] === 1 ? 'stale' : changed);
  }
  return { ...series, points };
}

/** A series that was not recorded, at the points of one that was; `value` is asked for instants after `from`. */
export function seriesLike(
  { labels, ...like }: RecordedSeries,
  made: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
  from: number,
  value: (index: number, at: number) => number | 'stale',
): RecordedSeries {
  const { times, stale } = columnsOf(like);
  const points = newColumns(times.length);
  for (let index = 0; index < times.length; index += 1) {
    const at = times[index] ?? 0;
    const now = stale[index] === 1 ? 'stale' : at > from ? value(index, at) : 0;
    setPoint(points, index, at, now);
  }
  return { name: made.name, labels: { ...labels, ...made.labels }, points };
}
