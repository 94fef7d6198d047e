import type { Metric, Plan, Selector } from '@tidegate/contracts';
import { columnsOf, isSelected, type RecordedSeries, seriesKey } from '@tidegate/metrics-source';
import { changedFrom, growthOf, seriesLike } from './grown.ts';
import type { Change } from './injection.ts';
import type { Recording } from './recording.ts';
import { slowed } from './slower.ts';

/** A label that no recorded series has: what is added is a series of its own. */
const MARK = 'tidegate_injected';

/** The recording as if the change had happened to the new version after `from`; before it, it is as it was. */
export function inject(recording: Recording, plan: Plan, change: Change, from: number): Recording {
  const watched = new Set(plan.guards.map(({ metric }) => metric));
  const metrics = Object.entries(plan.metrics).flatMap(([name, metric]) =>
    watched.has(name) ? [metric] : [],
  );
  switch (change.kind) {
    case 'errors-times':
      return times(
        recording,
        ofType(metrics, 'ratio', ({ bad }) => bad),
        change.times,
        from,
      );
    case 'requests-times':
      return times(recording, totalsOf(metrics), change.times, from);
    case 'errors-share':
      return failing(recording, metrics, change.share, from);
    case 'slower':
      return slower(recording, metrics, change.ms, from);
    case 'events':
      return once(metrics.map(countedBy)).reduce(
        (now, each) => more(now, each, change.perMinute, from),
        recording,
      );
    case 'value-times':
      return values(recording, metrics, from, (value) => value * change.times);
    case 'value-set':
      return values(recording, metrics, from, () => change.value);
    case 'alert':
      return once(metrics).reduce((now, metric) => alerting(now, metric, from), recording);
    case 'drop':
      return silent(recording, from, (series) => isNamed(series, change.series));
    case 'stop-scrape':
      return silent(recording, from, () => true);
  }
}

type Of<T extends Metric['type']> = Extract<Metric, { type: T }>;

/** Series of the new version, where the metric tells it from others. */
const ofCanary = (metric: Metric, { metric: name, where }: Selector): Selector => ({
  metric: name,
  where: { ...where, ...('canary' in metric ? metric.canary?.where : {}) },
});

const ofType = <T extends Metric['type']>(
  metrics: readonly Metric[],
  type: T,
  selector: (metric: Of<T>) => Selector,
): Selector[] =>
  metrics.flatMap((metric) =>
    metric.type === type ? [ofCanary(metric, selector(metric as Of<T>))] : [],
  );

const totalsOf = (metrics: readonly Metric[]): Selector[] => [
  ...ofType(metrics, 'ratio', ({ total }) => total),
  ...ofType(metrics, 'count', ({ count }) => count),
];

const isAnyOf = (series: RecordedSeries, selectors: readonly Selector[]): boolean =>
  selectors.some((selector) => isSelected(series, selector));

/** Counters that grow so many times as fast. */
const times = (
  recording: Recording,
  selectors: readonly Selector[],
  factor: number,
  from: number,
): Recording => ({
  ...recording,
  series: recording.series.map((series) => {
    if (!isAnyOf(series, selectors)) return series;
    const growth = growthOf(columnsOf(series), from);
    return changedFrom(series, from, (value, index) =>
      Math.max(0, Math.round(value + (growth[index] ?? 0) * (factor - 1))),
    );
  }),
});

/**
 * Of every request a share fails that did not before; where bad ones are counted among all, the good ones are fewer. A
 * series that several metrics count is changed once.
 */
function failing(
  recording: Recording,
  metrics: readonly Metric[],
  share: number,
  from: number,
): Recording {
  const ratios = metrics.flatMap((metric) =>
    metric.type === 'ratio' && hasName(recording, metric.bad)
      ? [{ bad: ofCanary(metric, metric.bad), total: ofCanary(metric, metric.total) }]
      : [],
  );
  const made: RecordedSeries[] = [];
  const series = recording.series.map((each) => {
    const counts = ratios.filter(({ total }) => isSelected(each, total));
    const [first] = counts;
    if (!first || counts.some(({ bad }) => isSelected(each, bad))) return each;
    const growth = growthOf(columnsOf(each), from);
    const failed = (index: number): number => Math.floor((growth[index] ?? 0) * share);
    const labels = { ...firstOf(first.bad.where), [MARK]: String(made.length) };
    const added = seriesLike(each, { name: first.bad.metric, labels }, from, failed);
    made.push(added);
    return isSelected(added, first.total)
      ? changedFrom(each, from, (value, index) => value - failed(index))
      : each;
  });
  return { ...recording, series: [...series, ...made] };
}

/** Only what was recorded by its name is added to: a name that is misspelt must not come to life. */
const hasName = ({ series }: Recording, { metric }: Selector): boolean =>
  series.some(({ name }) => name === metric);

const firstOf = (where: Selector['where']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(where).map(([label, value]) => [
      label,
      typeof value === 'string' ? value : (value[0] ?? ''),
    ]),
  );

function slower(
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

interface CountedBy {
  readonly selector: Selector;
  /** Whoever reports it, reports it to the gatekeeper itself. */
  readonly isSignal: boolean;
}

/** Events that were not recorded, counted by a series of their own. */
function more(
  recording: Recording,
  counted: CountedBy | undefined,
  perMinute: number,
  from: number,
): Recording {
  if (!counted) return recording;
  const { selector, isSignal } = counted;
  const like = recording.series.find((each) => isSelected(each, selector));
  const clock = like ?? longest(recording);
  if (!clock || (!isSignal && !hasName(recording, selector))) return recording;
  const labels = { ...firstOf(selector.where), [MARK]: 'events' };
  const base = like ?? { ...clock, labels: {} };
  const added = seriesLike(base, { name: selector.metric, labels }, from, (_index, at) =>
    Math.floor(((at - from) * perMinute) / 60_000),
  );
  return { ...recording, series: [...recording.series, added] };
}

function countedBy(metric: Metric): CountedBy | undefined {
  if (metric.type === 'signal')
    return { selector: { metric: metric.signal, where: metric.where }, isSignal: true };
  return metric.type === 'count' || metric.type === 'rate'
    ? { selector: ofCanary(metric, metric.count), isSignal: false }
    : undefined;
}

/** What stands there twice, once. */
const once = <T>(values: readonly T[]): T[] => [
  ...new Map(values.map((value) => [JSON.stringify(value), value])).values(),
];

const longest = ({ series }: Recording): RecordedSeries | undefined => {
  const lengths = series.map((each) => columnsOf(each).times.length);
  return series[lengths.indexOf(Math.max(0, ...lengths))];
};

/** Gauges, and what expressions gave: their series are named by them. */
function values(
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

function alerting(recording: Recording, metric: Metric, from: number): Recording {
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
const silent = (
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
function isNamed({ name, labels }: RecordedSeries, wanted: string): boolean {
  const [, metric, inBraces = ''] = /^([^{]+)(?:\{(.*)\})?$/.exec(wanted) ?? [];
  if (metric?.trim() !== name) return false;
  const pairs = [...inBraces.matchAll(/([a-zA-Z_]\w*)\s*=\s*"([^"]*)"/g)];
  return pairs.every(([, label = '', value]) => (labels[label] ?? '') === value);
}
