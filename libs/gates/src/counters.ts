import type { Metric, Selector } from '@tidegate/contracts';
import {
  prometheusTarget,
  type ReadRequest,
  select,
  type Snapshot,
  type TakenReading,
} from '@tidegate/metrics-source';

/** Kinds of missing data, worst first: the first that applies to a check is named. */
export const missingKinds = [
  'query-error', // a target could not be read
  'wrong-cardinality', // more series than can be kept, or one series twice
  'nan', // a value that is not a count: NaN, negative, infinite or beyond 2^53
  'stale', // the target's own timestamps are old, or nothing new has come for too long
  'empty', // no target has the series that everything is counted against
] as const;
export type MissingKind = (typeof missingKinds)[number];

/** Why a target could not be counted, with a sentence about it. */
export interface Lack {
  readonly kind: MissingKind;
  readonly detail: string;
}

/** What is counted as bad, and what it is counted against, if anything. */
export function selectorsOf(metric: Metric): { bad: Selector; total: Selector | null } {
  switch (metric.type) {
    case 'ratio':
      return { bad: metric.bad, total: metric.total };
    case 'count':
    case 'rate':
      return { bad: metric.count, total: null };
    default:
      throw new TypeError(`A metric of the type ${metric.type} is not counted.`);
  }
}

/** Where a metric is read: addresses that are scraped, or one Prometheus. */
export const targetsOf = (metric: Metric): readonly string[] => {
  if (metric.type === 'signal') return [];
  const { source } = metric;
  return 'scrape' in source
    ? [...new Set(source.scrape)]
    : [prometheusTarget(source.prometheus.url)];
};

/** What a source must be asked for to judge these metrics, one request per target. */
export function requestsFor(metrics: readonly Metric[]): ReadRequest[] {
  const wanted = new Map<string, Selector[]>();
  for (const metric of metrics)
    for (const target of targetsOf(metric)) {
      const { bad, total } = selectorsOf(metric);
      const known = wanted.get(target) ?? [];
      wanted.set(target, [...known, bad, ...(total ? [total] : [])]);
    }
  return [...wanted].map(([target, selectors]) => ({
    target,
    metrics: [...new Set(selectors.map(({ metric }) => metric))],
    selectors,
  }));
}

/** Of one selector in one target; more are refused as `wrong-cardinality`. */
export const MOST_SERIES = 500;

/** The selected series of a reading as counters, or why they cannot be counted. */
export function snapshotOf(
  { at, target, samples }: TakenReading,
  selector: Selector,
  maxAgeMs: number,
): Snapshot | Lack {
  const chosen = select(samples, selector);
  if (chosen.length > MOST_SERIES)
    return {
      kind: 'wrong-cardinality',
      detail: `${target} has ${chosen.length} series of ${selector.metric}, at most ${MOST_SERIES} can be counted.`,
    };
  const values = Object.fromEntries(chosen.map(({ series, value }) => [series, value]));
  if (Object.keys(values).length < chosen.length)
    return {
      kind: 'wrong-cardinality',
      detail: `${target} has a series of ${selector.metric} twice.`,
    };
  const strange = chosen.find(({ value }) => !isCount(value));
  if (strange)
    return {
      kind: 'nan',
      detail: `${strange.series} of ${target} is ${strange.value}, not a count.`,
    };
  const old = chosen.find((sample) => at - sample.at > maxAgeMs);
  if (old)
    return {
      kind: 'stale',
      detail: `${old.series} of ${target} is ${Math.round((at - old.at) / 1_000)} seconds old.`,
    };
  return { at, values };
}

/** Beyond 2^53 a counter can no longer count by one: what says so is not counting. */
const isCount = (value: number): boolean => value >= 0 && value <= Number.MAX_SAFE_INTEGER;

/** As Prometheus writes it. */
export function describeSelector({ metric, where }: Selector): string {
  const labels = Object.entries(where).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return labels.length === 0 ? metric : `${metric}{${labels.join(', ')}}`;
}
