import {
  columnsOf,
  type PointColumns,
  PointsBuilder,
  type RecordedSeries,
} from './recorded-series.ts';

/**
 * Ranges come without the marks of where series ended. What a target showed has an end wherever the target was scraped,
 * which its `up` tells, and the series was not among it. Series with times of their own have none, as in Prometheus.
 * @param to until when was read
 */
export function withEnds(series: readonly RecordedSeries[], to: number): RecordedSeries[] {
  const scrapes = new Map<string, Float64Array>();
  for (const each of series)
    if (each.name === 'up') scrapes.set(instanceOf(each), columnsOf(each).times);
  return series.map((each) => {
    const times = scrapes.get(instanceOf(each));
    const columns = columnsOf(each);
    return times && sharesTimes(columns.times, times)
      ? { ...each, points: endedBetween(columns, times, to) }
      : each;
  });
}

const instanceOf = ({ labels }: RecordedSeries): string =>
  JSON.stringify([labels['job'], labels['instance']]);

function sharesTimes(times: Float64Array, scrapes: Float64Array): boolean {
  const known = new Set(scrapes);
  return times.some((at) => known.has(at));
}

/** A target that is not scraped any more has ended after two intervals, which is when Prometheus says so. */
function endedBetween(columns: PointColumns, scrapes: Float64Array, to: number): PointColumns {
  const points = new PointsBuilder();
  let next = 0;
  let alive = false;
  const takeUpTo = (at: number): void => {
    for (; next < columns.times.length && (columns.times[next] ?? 0) <= at; next += 1) {
      points.push(columns.times[next] ?? 0, columns.values[next] ?? Number.NaN);
      alive = true;
    }
  };
  for (const scrape of scrapes) {
    takeUpTo(scrape);
    if (alive && points.lastAt !== scrape) {
      points.push(scrape, 'stale');
      alive = false;
    }
  }
  takeUpTo(Infinity);
  const end = endAfter(scrapes);
  if (alive && end < to) points.push(end, 'stale');
  return points.columns();
}

function endAfter(scrapes: Float64Array): number {
  const last = scrapes.at(-1) ?? 0;
  const interval = (last - (scrapes[0] ?? 0)) / (scrapes.length - 1);
  return last + 2 * interval;
}

/** What an expression gave at each step: where a step is missing it gave nothing. */
export function endedByStep(series: RecordedSeries, stepMs: number, to: number): RecordedSeries {
  const { times, values } = columnsOf(series);
  const points = new PointsBuilder();
  for (const [index, at] of times.entries()) {
    points.push(at, values[index] ?? Number.NaN);
    const next = times[index + 1] ?? Infinity;
    if (next - at > stepMs * 1.5 && at + stepMs <= to) points.push(at + stepMs, 'stale');
  }
  return { ...series, points: points.columns() };
}
