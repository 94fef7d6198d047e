import type { Metric, Selector } from '@tidegate/contracts';
import { columnsOf, isSelected, type RecordedSeries } from '@tidegate/metrics-source';
import { firstOf, hasName, isAnyOf, longest, MARK, ofCanary, ofType } from './chosen.ts';
import { changedFrom, growthOf, seriesLike } from './grown.ts';
import type { Recording } from './recording.ts';

/** Counters that grow so many times as fast. */
export const times = (
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
export function failing(
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

interface CountedBy {
  readonly selector: Selector;
  /** Whoever reports it, reports it to the gatekeeper itself. */
  readonly isSignal: boolean;
}

/** Events that were not recorded, counted by a series of their own. */
export function more(
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

export function countedBy(metric: Metric): CountedBy | undefined {
  if (metric.type === 'signal')
    return { selector: { metric: metric.signal, where: metric.where }, isSignal: true };
  return metric.type === 'count' || metric.type === 'rate'
    ? { selector: ofCanary(metric, metric.count), isSignal: false }
    : undefined;
}

export const totalsOf = (metrics: readonly Metric[]): Selector[] => [
  ...ofType(metrics, 'ratio', ({ total }) => total),
  ...ofType(metrics, 'count', ({ count }) => count),
];
