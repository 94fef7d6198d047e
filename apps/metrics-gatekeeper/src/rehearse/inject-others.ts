import type { Metric } from '@tidegate/contracts';
import { columnsOf, isSelected, type RecordedSeries, seriesKey } from '@tidegate/metrics-source';
import { firstOf, isAnyOf, longest, MARK, ofCanary, ofType } from './chosen.ts';
import { changedFrom, seriesLike } from './grown.ts';
import type { Recording } from './recording.ts';
import { slowed } from './slower.ts';

export function slower(
  recording: Recording,
  metrics: readonly Metric[],
  ms: number,
  from: number,
): Recording {
  const histograms = metrics.flatMap((metric) => {
    if (metric.type !== 'latency') return [];
    const { metric: name, where } = metric.histogram;
    const buckets = ofCanary(metric, { metric: `${name}_bucket`, where });
    return [{ buckets, more: metric.unit === 's' ? ms / 1_000 : ms }];
  });
  const groups = new Map<string, { more: number; series: RecordedSeries[] }>();
  const others: RecordedSeries[] = [];
  for (const series of recording.series) {
    const histogram = histograms.find(({ buckets }) => isSelected(series, buckets));
    if (!histogram) {
      others.push(series);
      continue;
    }
    const { le: _le, ...labels } = series.labels;
    const key = seriesKey(series.name, labels);
    const known = groups.get(key)?.series ?? [];
    groups.set(key, { more: histogram.more, series: [...known, series] });
  }
  const changed = [...groups.values()].flatMap(({ more, series }) => slowed(series, more, from));
  return { ...recording, series: [...others, ...changed] };
}

/** Gauges, and what expressions gave: their series are named by them. */
export function values(
  recording: Recording,
  metrics: readonly Metric[],
  from: number,
  change: (value: number) => number,
): Recording {
  const wanted = [
    ...ofType(metrics, 'value', ({ gauge }) => gauge),
    ...ofType(metrics, 'promql', ({ query }) => ({ metric: query, where: {} })),
  ];
  const series = recording.series.map((each) =>
    isAnyOf(each, wanted) ? changedFrom(each, from, change) : each,
  );
  return { ...recording, series };
}

export function alerting(recording: Recording, metric: Metric, from: number): Recording {
  const clock = longest(recording);
  if (metric.type !== 'alert' || !clock) return recording;
  const labels = {
    ...firstOf(metric.where),
    alertname: metric.alert,
    alertstate: 'firing',
    [MARK]: 'alert',
  };
  const like = { ...clock, labels: {} };
  const added = changedBefore(
    seriesLike(like, { name: 'ALERTS', labels }, from, () => 1),
    from,
  );
  return { ...recording, series: [...recording.series, added] };
}

/** An alert that does not fire is no series. */
function changedBefore(series: RecordedSeries, from: number): RecordedSeries {
  const columns = columnsOf(series);
  const stale = columns.stale.map((each, index) =>
    (columns.times[index] ?? 0) <= from ? 1 : each,
  );
  return { ...series, points: { ...columns, stale } };
}

/** Series that end, as Prometheus marks them; a target that is not scraped any more is not up. */
export const silent = (
  recording: Recording,
  from: number,
  ends: (series: RecordedSeries) => boolean,
): Recording => ({
  ...recording,
  series: recording.series.map((each) =>
    ends(each) ? changedFrom(each, from, () => (each.name === 'up' ? 0 : 'stale')) : each,
  ),
});

/** By its name, or name and labels: `http_requests_total{status="500"}`. */
export function isNamed({ name, labels }: RecordedSeries, wanted: string): boolean {
  const [, metric, inBraces = ''] = /^([^{]+)(?:\{(.*)\})?$/.exec(wanted) ?? [];
  if (metric?.trim() !== name) return false;
  const pairs = [...inBraces.matchAll(/([a-zA-Z_]\w*)\s*=\s*"([^"]*)"/g)];
  return pairs.every(([, label = '', value]) => (labels[label] ?? '') === value);
}
