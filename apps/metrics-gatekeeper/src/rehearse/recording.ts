import type { Metric, Plan, Source } from '@tidegate/contracts';
import { formatDuration, reject, type Rejection } from '@tidegate/kernel';
import {
  type MetricsSource,
  type RecordedSeries,
  seriesSource,
  spanOf,
} from '@tidegate/metrics-source';

/** What was recorded of the series that a plan reads, and of what its expressions gave. */
export interface Recording {
  /** An expression's are named by it. */
  readonly series: readonly RecordedSeries[];
  /** Metrics that were declared, also without a series. */
  readonly declared?: readonly string[];
  /** Alerting rules that there were. */
  readonly rules?: readonly string[];
}

/** The part of it that is rehearsed, ms since 1970; without an end that of the recording. */
export interface Span {
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}

export const MOST_SERIES = 5_000;
export const MOST_POINTS = 5_000_000;
/** Two weeks, checked every 5 s. */
export const MOST_CHECKS = 250_000;

/** From when until when, or why this cannot be rehearsed. */
export function spanToPlay(
  { series: all }: Recording,
  plan: Plan,
  wanted: Span,
): { readonly from: number; readonly until: number } | Rejection {
  const points = all.reduce((total, each) => total + lengthOf(each), 0);
  if (all.length > MOST_SERIES)
    return reject(
      'REHEARSAL_TOO_LARGE',
      `The recording has ${all.length} series; at most ${MOST_SERIES} can be rehearsed. Record only those that the plan reads.`,
    );
  if (points > MOST_POINTS)
    return reject(
      'REHEARSAL_TOO_LARGE',
      `The recording has ${points} samples; at most ${MOST_POINTS} can be rehearsed. Record a shorter time, or fewer series.`,
    );
  const span = spanOf(all);
  if (!span)
    return reject(
      'REHEARSAL_NO_DATA',
      'The recording has no sample of any series that the plan reads.',
    );
  const { checkEvery } = plan;
  const from = wanted.from ?? Math.min(span.from + pastOf(plan), span.to);
  const until = wanted.until ?? span.to;
  if (from >= until)
    return reject(
      'REHEARSAL_SPAN',
      `The rehearsal begins at ${instant(from)} and ends at ${instant(until)}; expected an end after the beginning. The recording goes from ${instant(span.from)} to ${instant(span.to)}.`,
    );
  if (from > span.to || until < span.from)
    return reject(
      'REHEARSAL_SPAN',
      `Nothing is recorded between ${instant(from)} and ${instant(until)}; the recording goes from ${instant(span.from)} to ${instant(span.to)}.`,
    );
  const checks = Math.ceil((until - from) / checkEvery);
  if (checks > MOST_CHECKS)
    return reject(
      'REHEARSAL_TOO_LARGE',
      `${formatDuration(until - from)} checked every ${formatDuration(checkEvery)} are ${checks} checks; at most ${MOST_CHECKS} can be rehearsed at once. Choose a shorter time with from and until.`,
    );
  return { from, until };
}

const instant = (at: number): string => new Date(at).toISOString();
const lengthOf = ({ points }: RecordedSeries): number =>
  'times' in points ? points.times.length : points.length;

/** So much of the recording is what the plan compares with, ms: the rollout begins after it. */
export const pastOf = ({ metrics }: Plan): number =>
  Math.max(
    0,
    ...Object.values(metrics).map((metric) => {
      if (!('baseline' in metric) || !metric.baseline || !('recorded' in metric.baseline)) return 0;
      const { ago, for: forMs } = metric.baseline.recorded;
      return ago + forMs;
    }),
  );

/** How far apart samples are: the median of all series, ms; undefined where none has two. */
export function intervalOf({ series }: Recording): number | undefined {
  const gaps = series.flatMap((each) => {
    const length = lengthOf(each);
    const first = timeAt(each, 0);
    const last = timeAt(each, length - 1);
    return length < 2 ? [] : [(last - first) / (length - 1)];
  });
  return gaps.toSorted((a, b) => a - b)[gaps.length >> 1];
}

const timeAt = ({ points }: RecordedSeries, index: number): number =>
  ('times' in points ? points.times[index] : points[index]?.[0]) ?? Number.NaN;

/**
 * The plan as it can be judged on a recording: whatever it scrapes itself is read like from a Prometheus that has scraped
 * as often as was recorded, and no metric is called stale for being recorded less often.
 */
export function planOn(recording: Recording, plan: Plan): Plan {
  const interval = Math.ceil(intervalOf(recording) ?? 0);
  const metrics = Object.entries(plan.metrics).map(([name, metric]) => [
    name,
    readFrom(metric, interval),
  ]);
  return { ...plan, metrics: Object.fromEntries(metrics) as Plan['metrics'] };
}

function readFrom(metric: Metric, interval: number): Metric {
  if (metric.type === 'signal') return metric;
  const source = prometheusOf(metric.source, interval);
  if (metric.type === 'promql' || metric.type === 'alert') return { ...metric, source } as Metric;
  const { canary, baseline } = metric;
  const own = <A extends { source?: Source | undefined }>(arm: A): A =>
    arm.source === undefined ? arm : { ...arm, source: prometheusOf(arm.source, interval) };
  return {
    ...metric,
    source,
    ...(canary ? { canary: own(canary) } : {}),
    ...(baseline ? { baseline: 'recorded' in baseline ? baseline : own(baseline) } : {}),
  };
}

const prometheusOf = (source: Source, interval: number): Source => {
  const { scrapeInterval = 0, ...rest } = 'prometheus' in source ? source.prometheus : {};
  return { prometheus: { ...rest, scrapeInterval: Math.max(scrapeInterval, interval, 1) } };
};

/** Answers at any instant as it was recorded. */
export const sourceOf = ({ series, declared = [], rules = [] }: Recording): MetricsSource =>
  seriesSource(series, { declared, rules: [...rules, ...alertsIn(series)] });

const alertsIn = (series: readonly RecordedSeries[]): string[] =>
  series.flatMap(({ name, labels }) => (name === 'ALERTS' ? (labels['alertname'] ?? []) : []));
