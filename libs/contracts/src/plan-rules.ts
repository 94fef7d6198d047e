import { formatDuration, isRejection, parseDuration, parsePercentage } from '@tidegate/kernel';
import { share } from './plan-fields.ts';

/** A problem of a plan: where, and what was expected there. */
export interface PlanIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Which metrics a judge can judge. */
const METRICS_FOR: Readonly<Record<string, readonly string[]>> = {
  sequential: ['ratio', 'latency', 'rate'],
  sustained: ['ratio', 'latency', 'rate', 'value', 'promql'],
  immediate: ['count', 'rate', 'signal', 'value', 'promql', 'alert'],
  split: ['ratio', 'count'],
};
const METRIC_TYPES: ReadonlySet<unknown> = new Set(Object.values(METRICS_FOR).flat());

/**
 * What in a plan contradicts itself, although each field alone is well formed. Reads any value, also a plan
 * that is malformed elsewhere, so that all problems are told at once.
 */
export function contradictions(plan: unknown): PlanIssue[] {
  const fields = asFields(plan);
  const guards = asList(fields['guards']);
  const steps = asList(fields['steps']);
  return [
    ...guards.flatMap((guard, index) => guardIssues(guard, index, asFields(fields['metrics']))),
    ...guards.flatMap((guard, index) => limitIssues(guard, index, asFields(fields['metrics']))),
    ...repeated('guards', guards.map(nameOf)),
    ...repeated('steps', steps.map(nameOf)),
    ...stageIssues(steps),
    ...silenceIssues(steps, fields['checkEvery']),
  ];
}

function guardIssues(guard: Fields, index: number, metrics: Fields): PlanIssue[] {
  const { metric, judge } = guard;
  if (typeof metric !== 'string') return [];
  const path = ['guards', index, 'metric'];
  if (!Object.hasOwn(metrics, metric)) {
    const known = Object.keys(metrics).join(', ') || '(none declared)';
    return [{ path, message: `there is no metric "${metric}"; expected one of ${known}` }];
  }
  const type = asFields(metrics[metric])['type'];
  const needed = typeof judge === 'string' ? METRICS_FOR[judge] : undefined;
  if (needed === undefined || !METRIC_TYPES.has(type) || needed.includes(String(type))) return [];
  const message = `the ${String(judge)} judge needs ${needed.join(', ')}, and "${metric}" is a ${String(type)}`;
  return [{ path, message }];
}

/** A share of requests has an end, the number of events in a time has none. */
function limitIssues({ metric, limit }: Fields, index: number, metrics: Fields): PlanIssue[] {
  const type = typeof metric === 'string' ? asFields(metrics[metric])['type'] : undefined;
  if (type !== 'ratio' && type !== 'latency') return [];
  if (limit === undefined || share.safeParse(limit).success) return [];
  const message = 'must be between 0% and 100%, as "1%" or 0.01';
  return [{ path: ['guards', index, 'limit'], message }];
}

const repeated = (list: 'guards' | 'steps', names: readonly (string | undefined)[]): PlanIssue[] =>
  names.flatMap((name, index) =>
    name === undefined || names.indexOf(name) === index
      ? []
      : [
          {
            path: [list, index],
            message: `"${name}" stands twice; each of the ${list} needs its own name`,
          },
        ],
  );

function stageIssues(steps: readonly Fields[]): PlanIssue[] {
  let exposed = 0;
  return steps.flatMap((step, index): PlanIssue[] => {
    if (!('stage' in step)) return [];
    if (!['percentage', 'variant', 'users'].some((field) => field in step)) {
      const message = 'a stage that changes nothing; expected percentage, variant or users';
      return [{ path: ['steps', index], message }];
    }
    const percentage = percentageOf(step['percentage']);
    if (percentage === undefined) return [];
    const before = exposed;
    exposed = Math.max(before, percentage);
    if (percentage >= before) return [];
    const message = 'exposes less than an earlier stage; a rollout only opens, a rollback closes';
    return [{ path: ['steps', index, 'percentage'], message }];
  });
}

/** As many checks may be late before it is silence. */
const LATE_CHECKS = 3;

function silenceIssues(steps: readonly Fields[], every: unknown): PlanIssue[] {
  const checkEvery = durationOf(every);
  if (checkEvery === undefined) return [];
  return steps.flatMap((step, index): PlanIssue[] => {
    const silence = durationOf(step['closeIfSilentFor']);
    if (silence === undefined || silence >= LATE_CHECKS * checkEvery) return [];
    const message =
      `closes between two checks; expected at least ${formatDuration(LATE_CHECKS * checkEvery)}, ` +
      `${LATE_CHECKS} times checkEvery`;
    return [{ path: ['steps', index, 'closeIfSilentFor'], message }];
  });
}

/** In ms, as it was written ("15m") or as it was read. */
function durationOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const parsed = typeof value === 'string' ? parseDuration(value) : undefined;
  return parsed === undefined || isRejection(parsed) ? undefined : parsed;
}

/** As it was written ("10%") or as it was read (10 000 thousandths): only compared with its like. */
function percentageOf(value: unknown): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const parsed = parsePercentage(value);
  return isRejection(parsed) ? (typeof value === 'number' ? value : undefined) : parsed;
}

function nameOf(item: Fields): string | undefined {
  const { name, stage, bake, approve, migrate, action } = item;
  const text = [name, stage, bake, approve].find((each) => typeof each === 'string');
  if (text !== undefined) return text;
  return typeof migrate === 'string' && typeof action === 'string'
    ? `${migrate}/${action}`
    : undefined;
}

const asFields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const asList = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.map(asFields) : [];
