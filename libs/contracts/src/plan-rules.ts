import { formatDuration } from '@tidegate/kernel';
import { isGiven } from './guard-rule.ts';
import { guardIssues } from './guard-rules.ts';
import { runOptionProblems } from './migration-rules.ts';
import { share } from './plan-fields.ts';
import {
  asFields,
  asList,
  durationOf,
  type Fields,
  numberOf,
  percentageOf,
  type PlanIssue,
} from './plan-values.ts';

/**
 * What in a plan contradicts itself, although each field alone is well formed. Reads any value, also a plan
 * that is malformed elsewhere, so that all problems are told at once.
 */
export function contradictions(plan: unknown): PlanIssue[] {
  const fields = asFields(plan);
  const guards = asList(fields['guards']);
  const steps = asList(fields['steps']);
  return [
    ...guardIssues(fields),
    ...metricIssues(fields),
    ...addressIssues(fields),
    ...levelIssues(fields),
    ...repeated('guards', guards.map(nameOf)),
    ...repeated('steps', steps.map(nameOf)),
    ...stageIssues(steps),
    ...silenceIssues(steps, fields['checkEvery']),
    ...deadlineIssues(steps),
    ...migrateIssues(steps),
    ...revertIssues(steps),
  ];
}

/** What was recorded can be asked of a Prometheus alone. */
function metricIssues(plan: Fields): PlanIssue[] {
  return Object.entries(asFields(plan['metrics'])).flatMap(([name, value]) => {
    const { baseline, source } = asFields(value);
    if (!('recorded' in asFields(baseline)) || !('scrape' in asFields(source))) return [];
    const message = 'needs a Prometheus that has recorded it; expected source: { prometheus: … }';
    return [{ path: ['metrics', name, 'baseline', 'recorded'], message }];
  });
}

/** What is remembered of one address for one guard, at most 500 series of each part, must fit into a document with the rest. */
const MOST_READ = 400;

/** Each guard remembers where counting stands, in every address of its metric's parts. */
function addressIssues(plan: Fields): PlanIssue[] {
  const metrics = asFields(plan['metrics']);
  const read = asList(plan['guards']).reduce((sum, { metric }) => {
    return sum + (typeof metric === 'string' ? addressesOf(asFields(metrics[metric])) : 0);
  }, 0);
  if (read <= MOST_READ) return [];
  const message = `read ${read} addresses in all, each guard those of its metric and of a baseline at the same time; expected at most ${MOST_READ}, or a Prometheus that scrapes them`;
  return [{ path: ['guards'], message }];
}

function addressesOf({ source, canary, baseline }: Fields): number {
  const own = (arm: unknown) => asFields(arm)['source'] ?? source;
  const others = baseline === undefined || 'recorded' in asFields(baseline) ? [] : [own(baseline)];
  return [own(canary), ...others].reduce<number>((sum, each) => {
    const { scrape } = asFields(each);
    return sum + (Array.isArray(scrape) ? scrape.length : 0);
  }, 0);
}

const DEFAULT_RISK = 0.01;

/** Scores of risk must be reached one after the other, before what rolls back. */
function levelIssues({ risk, levels }: Fields): PlanIssue[] {
  const alpha = risk === undefined ? DEFAULT_RISK : numberOf(risk);
  if (alpha === undefined || !share.safeParse(alpha).success) return [];
  const given = asFields(levels);
  const hold = numberOf(given['hold']) ?? 0.2 / alpha;
  const notify = numberOf(given['notify']) ?? 0.1 / alpha;
  const path = (field: string) => ['levels', field];
  if (isGiven(given['hold']) && hold >= 1 / alpha)
    return [
      {
        path: path('hold'),
        message: `is not below ${round(1 / alpha)}, where a risk of ${round(alpha * 100)} % rolls back`,
      },
    ];
  if (notify < hold || (!isGiven(given['hold']) && !isGiven(given['notify']))) return [];
  const field = isGiven(given['notify']) ? 'notify' : 'hold';
  const message =
    field === 'notify'
      ? `is not below hold, which is ${round(hold)}`
      : `is not above notify, which is ${round(notify)}`;
  return [{ path: path(field), message }];
}

const round = (value: number): number => Number(value.toPrecision(4));

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

/** Of one variant: another one begins anew, as `new` after `shadow` was everywhere. */
function stageIssues(steps: readonly Fields[]): PlanIssue[] {
  let exposed = 0;
  let variant: unknown;
  return steps.flatMap((step, index): PlanIssue[] => {
    if (!('stage' in step)) return [];
    if (!['percentage', 'variant', 'users'].some((field) => field in step)) {
      const message = 'a stage that changes nothing; expected percentage, variant or users';
      return [{ path: ['steps', index], message }];
    }
    const percentage = percentageOf(step['percentage']);
    if (percentage === undefined) return [];
    const isAnother = variant !== undefined && (step['variant'] ?? variant) !== variant;
    const before = isAnother ? 0 : exposed;
    exposed = Math.max(before, percentage);
    variant = step['variant'] ?? variant;
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

const deadlineIssues = (steps: readonly Fields[]): PlanIssue[] =>
  steps.flatMap(({ deadline, atDeadline }, index) =>
    atDeadline === 'advance' && deadline === undefined
      ? [{ path: ['steps', index, 'atDeadline'], message: 'never comes; expected a deadline' }]
      : [],
  );

const migrateIssues = (steps: readonly Fields[]): PlanIssue[] =>
  steps.flatMap((step, index) =>
    'migrate' in step
      ? runOptionProblems(step).map(({ path, message }) => ({
          path: ['steps', index, ...path],
          message,
        }))
      : [],
  );

/** What a rollback reverts cannot be reverted while something executed depends on it, and that the plan has to say. */
function revertIssues(steps: readonly Fields[]): PlanIssue[] {
  const executed = steps.filter(({ action }) => action === 'execute');
  return steps.flatMap((step, index): PlanIssue[] => {
    const { migrate, action, onFailure } = step;
    // The cutover of what the plan executes goes with its execute.
    const isOwn = executed.some((each) => each['migrate'] === migrate);
    const executes = action === 'execute' || (action === 'cutover' && !isOwn);
    if (!executes || onFailure !== undefined) return [];
    const reverted = steps
      .slice(0, index)
      .find((each) => isReverted(each) && each['migrate'] !== migrate);
    if (!reverted) return [];
    const message = `is missing; expected revert where it depends on ${String(reverted['migrate'])}, which a rollback could not revert otherwise, or stop where it does not`;
    return [{ path: ['steps', index, 'onFailure'], message }];
  });
}

const isReverted = ({ action, onFailure }: Fields): boolean =>
  action === 'execute' && onFailure === 'revert';

function nameOf(item: Fields): string | undefined {
  const { name, stage, bake, approve, migrate, action } = item;
  const text = [name, stage, bake, approve].find((each) => typeof each === 'string');
  if (text !== undefined) return text;
  return typeof migrate === 'string' && typeof action === 'string'
    ? `${migrate}/${action}`
    : undefined;
}
