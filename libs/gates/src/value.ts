import type { Metric } from '@tidegate/contracts';
import { type Reading, type Sample, select, type TakenReading } from '@tidegate/metrics-source';
import { isLack, type Lack, MOST_SERIES, nameOf, seconds } from './counters.ts';
import type { GuardEvidence, Missing, Readings } from './evidence.ts';
import { withValue } from './samples.ts';
import { firing, lacksOf, unreadOf } from './selectors.ts';
import { targetsOf, type Watch } from './watch.ts';

type ReadMetric = Extract<Metric, { type: 'value' | 'promql' | 'alert' }>;

/** Whether the metric's values are taken as they are read, and not counted. */
export const isRead = (metric: Metric): metric is ReadMetric =>
  metric.type === 'value' || metric.type === 'promql' || metric.type === 'alert';

/** A value that was read. `lack`: what belongs into it and is not in it. */
interface Read {
  readonly at: number;
  readonly value: number;
  readonly lack: Lack | null;
}

/** Takes in the value that one check reads, if it is a new one. One that cannot be read is missing, and is never 0. */
export function readValue(
  evidence: GuardEvidence,
  metric: ReadMetric,
  watch: Watch,
  readings: Readings,
): GuardEvidence {
  const result = valueOf(metric, readings, watch.maxGapMs);
  if (isLack(result)) return { ...evidence, missing: missing(result) };
  const { at, value, lack } = result;
  const known = evidence.read?.at ?? null;
  if (known !== null && at <= known && known - at <= watch.maxGapMs)
    return { ...evidence, missing: lack && missing(lack) };
  const from = known !== null && at > known && at - known <= watch.maxGapMs ? known : null;
  const { samples } = evidence;
  return {
    ...evidence,
    read: { at, value },
    ...(samples ? { samples: withValue(samples, from, at, value) } : {}),
    lastSuccessAt: lack === null ? at : evidence.lastSuccessAt,
    missing: lack && missing(lack),
  };
}

const missing = (lack: Lack): Missing => ({ ...lack, targets: 1 });

function valueOf(metric: ReadMetric, readings: Readings, maxAgeMs: number): Read | Lack {
  const taken: TakenReading[] = [];
  for (const target of targetsOf(metric)) {
    const reading = readings.get(target);
    if (reading?.outcome !== 'taken') return unread(target, reading);
    const why = unreadOf(metric, reading);
    if (why !== undefined) return queryError(why);
    taken.push(reading);
  }
  const [first] = taken;
  switch (metric.type) {
    case 'value':
      return gauge(metric, taken, maxAgeMs);
    case 'promql':
      return first ? answer(metric, first) : unread('prometheus', undefined);
    case 'alert':
      return first ? alerts(metric, first) : unread('prometheus', undefined);
  }
}

const unread = (target: string, reading: Reading | undefined): Lack => ({
  kind: 'query-error',
  detail: reading?.outcome === 'failed' ? reading.message : `${target} was not read.`,
});

const OF: Readonly<Record<string, (values: readonly number[]) => number>> = {
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  sum: (values) => values.reduce((sum, each) => sum + each, 0),
  mean: (values) => values.reduce((sum, each) => sum + each, 0) / values.length,
};

function gauge(
  metric: Extract<Metric, { type: 'value' }>,
  taken: readonly TakenReading[],
  maxAgeMs: number,
): Read | Lack {
  const at = Math.min(...taken.map((each) => each.at));
  const samples = taken.flatMap((reading) => select(reading.samples, metric.gauge));
  const { length } = samples;
  if (length === 0)
    return { kind: 'empty', detail: `no target has a series of ${nameOf(metric)}.` };
  if (length > MOST_SERIES)
    return {
      kind: 'wrong-cardinality',
      detail: `there are ${length} series of ${nameOf(metric)}, at most ${MOST_SERIES} can be read.`,
    };
  const old = samples.find((sample) => at - sample.at > maxAgeMs);
  if (old) return { kind: 'stale', detail: `${old.series} is ${seconds(at - old.at)} old.` };
  const lacks = taken.map((each) => lacksOf([metric], each)).find((each) => each !== undefined);
  const value = OF[metric.of]?.(samples.map((each) => each.value)) ?? Number.NaN;
  return number(metric, at, value, lacks === undefined ? null : queryError(lacks));
}

/** One number, or none: whoever takes the first of several judges by chance. */
function answer(metric: Extract<Metric, { type: 'promql' }>, reading: TakenReading): Read | Lack {
  const result = reading.answers?.[metric.query];
  if (result === undefined)
    return queryError(`${reading.target} has not answered ${metric.query}.`);
  if ('failure' in result) return queryError(result.message);
  const [point, ...more] = result.points;
  if (point === undefined)
    return { kind: 'empty', detail: `the answer to ${metric.query} is empty.` };
  if (more.length > 0)
    return {
      kind: 'wrong-cardinality',
      detail: `the answer to ${metric.query} is ${more.length + 1} series, and must be one number.`,
    };
  return number(metric, point.at, point.value, null);
}

/** No alert fires only where the rule is there and evaluated: a rule that is misspelt never fires either. */
function alerts(metric: Extract<Metric, { type: 'alert' }>, reading: TakenReading): Read | Lack {
  const { at, rules = [], target, ruleFailures } = reading;
  const count = select(reading.samples, firing(metric)).filter(isFiring).length;
  if (count > 0) return { at, value: count, lack: null };
  if (rules.includes(metric.alert)) return { at, value: 0, lack: null };
  const detail = ruleFailures?.[metric.alert] ?? `${target} has no alerting rule ${metric.alert}.`;
  return { kind: 'empty', detail };
}

const isFiring = ({ value }: Sample): boolean => value === 1;

const queryError = (detail: string): Lack => ({ kind: 'query-error', detail });

/** What is infinite is as large as a number can be: JSON knows no more. */
function number(metric: Metric, at: number, value: number, lack: Lack | null): Read | Lack {
  if (Number.isNaN(value)) return { kind: 'nan', detail: `${nameOf(metric)} is not a number.` };
  const finite = Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);
  return { at, value: finite, lack };
}
