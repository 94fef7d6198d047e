import type { Metric, Selector } from '@tidegate/contracts';
import {
  edgeOf,
  type Sample,
  select,
  selecting,
  type TakenReading,
} from '@tidegate/metrics-source';
import { bucketsNamed, unreadOf, writtenEdge } from './selectors.ts';
import { seriesKey } from './series-key.ts';

/** Kinds of missing data, worst first: the first that applies to a check is named. */
export const missingKinds = [
  'query-error', // a target could not be read
  'wrong-cardinality', // more series than can be kept, one series twice, or several numbers where one is wanted
  'nan', // a value that is not a count, or no number
  'stale', // the target's own timestamps are old, or nothing new has come for too long
  'empty', // no target has the series that everything is counted against
] as const;
export type MissingKind = (typeof missingKinds)[number];

/** Why a target could not be counted, with a sentence about it. */
export interface Lack {
  readonly kind: MissingKind;
  readonly detail: string;
}
export const isLack = (value: object): value is Lack => 'kind' in value && 'detail' in value;

/** Of one metric in one target; more are refused as `wrong-cardinality`. */
export const MOST_SERIES = 500;

/** A series of a metric, and how many times its increase is bad, and counts as a request. */
export interface Chosen {
  readonly sample: Sample;
  readonly bad: number;
  readonly total: number;
}

/** The metric's series in a reading as counters, or why they cannot be counted. */
export function chosenOf(
  metric: Metric,
  reading: TakenReading,
  maxAgeMs: number,
): readonly Chosen[] | Lack {
  const unread = unreadOf(metric, reading);
  if (unread !== undefined) return { kind: 'query-error', detail: unread };
  const chosen = chosenOnce(metric, reading.samples);
  const unusable = lackOf(chosen, metric, reading, maxAgeMs);
  if (unusable) return unusable;
  const lack = metric.type === 'latency' ? lackOfEdge(metric, reading, chosen) : undefined;
  return lack ?? withKeys(chosen);
}

/** By what they are remembered: a place with the names of all series in full would not fit into a document. */
function withKeys(chosen: readonly Chosen[]): readonly Chosen[] {
  const known = keyed.get(chosen);
  if (known) return known;
  const short = chosen.map((each) => {
    const series = seriesKey(each.sample.series);
    return series === each.sample.series ? each : { ...each, sample: { ...each.sample, series } };
  });
  keyed.set(chosen, short);
  return short;
}
const keyed = new WeakMap<readonly Chosen[], readonly Chosen[]>();

/** A histogram that has no bucket with that edge says nothing about it; the next lower or higher one is another limit. */
function lackOfEdge(
  metric: Extract<Metric, { type: 'latency' }>,
  { samples, target }: TakenReading,
  chosen: readonly Chosen[],
): Lack | undefined {
  const buckets = bucketsOf(metric, samples);
  const wanted = [1, -1].every((bad) => chosen.some((each) => each.bad === bad));
  if (buckets.length === 0 || wanted) return undefined;
  const edges = new Set(buckets.flatMap(({ labels }) => edgeOf(labels['le']) ?? []));
  const there = [...edges].sort((a, b) => a - b).map((each) => (each === Infinity ? '+Inf' : each));
  const missing = `${nameOf(metric)} of ${target} has no bucket with the edge ${writtenEdge(metric)}`;
  // Of what was recorded before only the wanted edges are read: that there is no other is not known.
  const known = there.length > 1 ? `; there are ${there.join(', ')} (${metric.unit})` : '';
  return { kind: 'empty', detail: `${missing}${known}.` };
}

/** Within one check several things are asked of the same samples. */
const choices = new WeakMap<readonly Sample[], Map<Metric, readonly Chosen[]>>();

function chosenOnce(metric: Metric, samples: readonly Sample[]): readonly Chosen[] {
  const known = choices.get(samples) ?? new Map<Metric, readonly Chosen[]>();
  const chosen = known.get(metric) ?? chosenBy(metric, samples);
  choices.set(samples, known.set(metric, chosen));
  return chosen;
}

/** Of a series that has both roles the roles are added up. */
function chosenBy(metric: Metric, samples: readonly Sample[]): Chosen[] {
  switch (metric.type) {
    case 'ratio': {
      const isBad = selecting(metric.bad);
      const isTotal = selecting(metric.total);
      const chosen: Chosen[] = [];
      for (const sample of samples) {
        const bad = isBad(sample) ? 1 : 0;
        const total = isTotal(sample) ? 1 : 0;
        if (bad + total > 0) chosen.push({ sample, bad, total });
      }
      return chosen;
    }
    case 'latency': {
      const edge = writtenEdge(metric);
      return bucketsOf(metric, samples).flatMap((sample): Chosen[] => {
        const le = edgeOf(sample.labels['le']);
        if (le === Infinity) return [{ sample, bad: 1, total: 1 }];
        return le === edge ? [{ sample, bad: -1, total: 0 }] : [];
      });
    }
    case 'count':
    case 'rate':
      return eachBad(select(samples, metric.count));
    case 'signal':
      return eachBad(select(samples, { metric: metric.signal, where: metric.where }));
    default:
      throw new TypeError(`A metric of the type ${metric.type} is not counted.`);
  }
}

export const bucketsOf = (
  { histogram }: Extract<Metric, { type: 'latency' }>,
  samples: readonly Sample[],
): Sample[] => select(samples, { ...histogram, metric: bucketsNamed(histogram.metric) });

const eachBad = (samples: readonly Sample[]): Chosen[] =>
  samples.map((sample) => ({ sample, bad: 1, total: 0 }));

function lackOf(
  chosen: readonly Chosen[],
  metric: Metric,
  { at, target }: TakenReading,
  maxAgeMs: number,
): Lack | undefined {
  const { length } = chosen;
  if (length > MOST_SERIES)
    return {
      kind: 'wrong-cardinality',
      detail: `${target} has ${length} series of ${nameOf(metric)}, at most ${MOST_SERIES} can be counted.`,
    };
  if (new Set(chosen.map(({ sample }) => sample.series)).size < length)
    return {
      kind: 'wrong-cardinality',
      detail: `${target} has a series of ${nameOf(metric)} twice.`,
    };
  for (const { sample } of chosen) {
    const { series, value } = sample;
    if (!isCount(value))
      return { kind: 'nan', detail: `${series} of ${target} is ${value}, not a count.` };
    const ageMs = at - sample.at;
    if (ageMs > maxAgeMs)
      return { kind: 'stale', detail: `${series} of ${target} is ${seconds(ageMs)} old.` };
  }
  return undefined;
}

export const seconds = (ms: number): string => `${Math.round(ms / 1_000)} seconds`;

/** Beyond 2^53 a counter can no longer count by one: what says so is not counting. */
const isCount = (value: number): boolean => value >= 0 && value <= Number.MAX_SAFE_INTEGER;

/** What everything is counted against, as Prometheus writes it. */
export function nameOf(metric: Metric): string {
  switch (metric.type) {
    case 'ratio':
      return describe(metric.total);
    case 'latency':
      return describe(metric.histogram);
    case 'count':
    case 'rate':
      return describe(metric.count);
    case 'value':
      return describe(metric.gauge);
    case 'signal':
      return describe({ metric: metric.signal, where: metric.where });
    case 'alert':
      return describe({ metric: 'ALERTS', where: { alertname: metric.alert, ...metric.where } });
    case 'promql':
      return metric.query;
  }
}

function describe({ metric, where }: Selector): string {
  const labels = Object.entries(where).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return labels.length === 0 ? metric : `${metric}{${labels.join(', ')}}`;
}
