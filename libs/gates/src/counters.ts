import type { Metric, Selector } from '@tidegate/contracts';
import { type Sample, select, type TakenReading } from '@tidegate/metrics-source';

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
  const chosen = chosenBy(metric, reading.samples);
  return lackOf(chosen, metric, reading, maxAgeMs) ?? chosen;
}

/** Of a series that has both roles the roles are added up. */
function chosenBy(metric: Metric, samples: readonly Sample[]): Chosen[] {
  switch (metric.type) {
    case 'ratio': {
      const totals = select(samples, metric.total);
      const bads = select(samples, metric.bad);
      const isTotal = new Set(totals);
      const isBad = new Set(bads);
      const others = bads.filter((sample) => !isTotal.has(sample));
      return [
        ...totals.map((sample) => ({ sample, bad: isBad.has(sample) ? 1 : 0, total: 1 })),
        ...others.map((sample) => ({ sample, bad: 1, total: 0 })),
      ];
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
