import {
  isWatchedStep,
  type PlanStep,
  type StageStep,
  stepKind,
  stepName,
  type Verdict,
  watchedName,
} from '@tidegate/contracts';
import type { RolloutMessage } from './message.ts';
import { type Common, exposedStage, type ReferenceName, stageUpTo, stepAt } from './state.ts';

/** What every event of a rollout is about. */
export const about = ({ id, environment, plan, version }: Common) => ({
  rollout: id,
  environment,
  plan: plan.plan,
  planVersion: version,
  flag: plan.flag,
});

/** The same, and the step: the present one, or the first while there is none. */
export function aboutStep(rollout: Common, index = rollout.position?.index ?? 0) {
  return { ...about(rollout), step: stepName(stepAt(rollout, index)), index };
}

const flagOf = ({ environment, plan }: Common) => ({ environment, key: plan.flag });
const refOf = ({ id, generation }: Common) => ({ id, generation });

/**
 * Asks for the flag again, to be watched as its open stage asks. One that is held already is told once more, with
 * what it serves now.
 */
export const holdFlag = (rollout: Common): RolloutMessage => ({
  type: 'HoldFlag',
  data: {
    ...flagOf(rollout),
    rollout: refOf(rollout),
    ...watchOf(exposedStage(rollout)),
    tellAgain: true,
  },
});

const watchOf = ({ closeIfSilentFor }: { closeIfSilentFor?: number | undefined } = {}) =>
  closeIfSilentFor === undefined ? {} : { closeIfSilentMs: closeIfSilentFor };

const releaseFlag = (rollout: Common, reason: string): RolloutMessage => ({
  type: 'ReleaseFlag',
  data: { ...flagOf(rollout), rollout: refOf(rollout), reason },
});

const referenceOf = ({ environment }: Common, { key }: ReferenceName) => ({ environment, key });

/** Asks for what the flag refers to; it is told once more also where it is held already. */
export const holdReference = (rollout: Common, reference: ReferenceName): RolloutMessage => {
  const data = {
    ...referenceOf(rollout, reference),
    rollout: refOf(rollout),
    tellAgain: true,
  };
  return reference.kind === 'flag'
    ? { type: 'HoldFlag', data: { ...data, asReference: true } }
    : { type: 'HoldSegment', data };
};

export const releaseReference = (
  rollout: Common,
  reference: ReferenceName,
  reason: string,
): RolloutMessage => ({
  type: reference.kind === 'flag' ? 'ReleaseFlag' : 'ReleaseSegment',
  data: { ...referenceOf(rollout, reference), rollout: refOf(rollout), reason },
});

/** The rollout is over: its flag and all that this refers to are anybody's again. */
export const releaseAll = (rollout: Common, reason: string): RolloutMessage[] => [
  releaseFlag(rollout, reason),
  ...releaseReferences(rollout, reason),
];

export const releaseReferences = (rollout: Common, reason: string): RolloutMessage[] =>
  (rollout.references ?? []).map((each) => releaseReference(rollout, each, reason));

export const restoreFlag = (
  rollout: Common,
  definition: NonNullable<Common['before']>,
  reason: string,
): RolloutMessage => ({
  type: 'RestoreFlag',
  data: { ...flagOf(rollout), definition, reason, rollout: refOf(rollout) },
});

export const pauseMigration = (rollout: Common, run: string, reason: string): RolloutMessage => ({
  type: 'PauseMigration',
  data: { run, reason, rollout: refOf(rollout) },
});

export const resumeMigration = (rollout: Common, run: string, reason: string): RolloutMessage => ({
  type: 'ResumeMigration',
  data: { run, reason, rollout: refOf(rollout) },
});

/** How a migration is told that it waits for its rollout; the rollout knows its own pause again by it. */
export const pausedWith = ({ id }: Common): string => `rollout ${id} is paused`;

/** Made from what it is for: asking twice starts one run. */
export const runId = ({ id }: Common, index: number, attempt: number): string =>
  `${id}.${index}.${attempt}`;

/**
 * What a step asks of another service when it begins; undefined for one that asks a person. A bake asks for the exposure
 * that there should be already: its time counts once the flag has said so.
 */
export function requestOf(
  rollout: Common,
  index: number,
  attempt: number,
): RolloutMessage | undefined {
  const step = stepAt(rollout, index);
  if (isWatchedStep(step)) {
    const stage = stageUpTo(rollout.plan, index);
    return setExposure(rollout, watchedName(step), stage, usersUpTo(rollout, index));
  }
  if ('migrate' in step) return runMigration(rollout, step, runId(rollout, index, attempt));
  return undefined;
}

/** Whom the flag and the stages up to this one allow: a stage adds users, it takes nobody's place. */
function usersUpTo({ plan, before }: Common, index: number): string[] {
  const named = plan.steps
    .slice(0, index + 1)
    .flatMap((step) => ('stage' in step ? (step.users ?? []) : []));
  return [...new Set([...(before?.allowedUsers ?? []), ...named])];
}

/** True if the step would serve its variant to fewer than have it now. */
export function wouldShrink({ plan, exposure }: Common, index: number): boolean {
  const step = plan.steps[index];
  if (!exposure || !step || !isWatchedStep(step)) return false;
  const { variant = exposure.variant, percentage } = stageUpTo(plan, index) ?? {};
  if (percentage === undefined) return false;
  return variant === exposure.variant && percentage < exposure.percentage;
}

function setExposure(
  rollout: Common,
  step: string,
  stage: StageStep | undefined,
  allowedUsers: string[],
): RolloutMessage {
  const { percentage, variant, users } = stage ?? {};
  return {
    type: 'SetExposure',
    data: {
      ...flagOf(rollout),
      rollout: refOf(rollout),
      step,
      ...(percentage === undefined ? {} : { percentage }),
      ...(variant === undefined ? {} : { variant }),
      ...(users === undefined ? {} : { allowedUsers }),
      ...watchOf(stage),
    },
  };
}

function runMigration(
  rollout: Common,
  { migrate, deadline: _deadline, ...options }: Extract<PlanStep, { migrate: string }>,
  run: string,
): RolloutMessage {
  const data = { run, migration: migrate, ...options, rollout: refOf(rollout) };
  return { type: 'RunMigration', data };
}

/** One run for each rollback: sent again, it is the same. */
export function revertMigration(
  rollout: Common,
  migration: string,
  reason: string,
): RolloutMessage {
  const run = `${rollout.id}.revert.${rollout.generation}.${migration}`;
  const data = { run, migration, action: 'revert' as const, reason, rollout: refOf(rollout) };
  return { type: 'RunMigration', data };
}

export function stepStarted(rollout: Common, index: number): RolloutMessage {
  const step = stepAt(rollout, index);
  return {
    type: 'StepStarted',
    data: { ...aboutStep(rollout, index), kind: stepKind(step), ...percentageOf(step) },
  };
}

export const stageOpened = (rollout: Common, index: number): RolloutMessage => ({
  type: 'StageOpened',
  data: { ...aboutStep(rollout, index), ...percentageOf(stepAt(rollout, index)) },
});

const percentageOf = (step: PlanStep) =>
  'stage' in step && step.percentage !== undefined ? { percentage: step.percentage } : {};

export function stepCompleted(
  rollout: Common,
  index: number,
  how: {
    coveredMs?: number;
    verdicts?: readonly Verdict[];
    promotedBy?: string;
    atDeadline?: true;
  } = {},
): RolloutMessage {
  const { verdicts = [], ...rest } = how;
  const kind = stepKind(stepAt(rollout, index));
  return {
    type: 'StepCompleted',
    data: { ...aboutStep(rollout, index), kind, verdicts: [...verdicts], ...rest },
  };
}
