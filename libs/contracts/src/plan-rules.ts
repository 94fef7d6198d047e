import { formatDuration, isRejection, parseDuration, parsePercentage } from '@tidegate/kernel';

/** A problem of a plan: where, and what was expected there. */
export interface PlanIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Fields = Readonly<Record<string, unknown>>;

const METRIC_FOR: Readonly<Record<string, string>> = { sequential: 'ratio', immediate: 'count' };

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
  const needed = typeof judge === 'string' ? METRIC_FOR[judge] : undefined;
  const known = Object.values(METRIC_FOR).find((each) => each === type);
  if (needed === undefined || known === undefined || known === needed) return [];
  const message = `the ${String(judge)} judge needs a ${needed}, and "${metric}" is a ${known}`;
  return [{ path, message }];
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
  const { name, stage, approve, migrate, action } = item;
  const text = [name, stage, approve].find((each) => typeof each === 'string');
  if (text !== undefined) return text;
  return typeof migrate === 'string' && typeof action === 'string'
    ? `${migrate}/${action}`
    : undefined;
}

const asFields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const asList = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.map(asFields) : [];
