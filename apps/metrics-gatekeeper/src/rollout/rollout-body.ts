import {
  isWatchedStep,
  type PlanStep,
  reason,
  stepKind,
  stepName,
  type Verdict,
  watchedName,
} from '@tidegate/contracts';
import { formatPercentage } from '@tidegate/kernel';
import { z } from 'zod';
import type { StoredCheck } from '../check/stored-check.ts';
import { mayLeave, riskLevels, type StageEvidence } from '@tidegate/gates';
import { judge } from './look.ts';
import { riskScore } from './score.ts';
import {
  type Existing,
  exposedStage,
  isLive,
  type Reference,
  riskLevelNames,
  type RolledBack,
} from './state.ts';

const id = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 printable characters');

export const startBody = z.strictObject({
  plan: z.string().min(1),
  /** The newest if left out. */
  version: z.int().min(1).optional(),
  environment: z.string().min(1),
  reason: reason.optional(),
});
export const reasonBody = z.strictObject({ reason });
export const approveBody = z.strictObject({
  /** The step that waits, if left out. */
  step: z.string().min(1).optional(),
  reason: reason.optional(),
});
export const rolloutId = id;

/** A guard's newest judgement, and how much of what its gate needs is still to come. */
export interface ShownGuard extends Omit<Verdict, 'inputs'> {
  readonly neededTrials?: number;
  readonly neededErrors?: number;
}

/** A rollout as people get it; times in ms since 1970, percentages in thousandths. */
export function rolloutBody(
  rollout: Existing,
  check: StoredCheck | undefined,
  revision: { epoch: number; version: number },
  now: number,
) {
  const { plan, position, status } = rollout;
  const evidence = check?.evidence;
  const at = isLive(rollout) ? now : (check?.lastCheckAt ?? now);
  const verdicts = evidence ? judge(rollout, evidence, at) : [];
  return {
    id: rollout.id,
    environment: rollout.environment,
    plan: plan.plan,
    planVersion: rollout.version,
    planHash: rollout.hash,
    flag: plan.flag,
    status,
    step: position ? stepName(plan.steps[position.index] as (typeof plan.steps)[number]) : null,
    stepIndex: position?.index ?? null,
    phase: position && isLive(rollout) ? position.phase : null,
    ...exposureOf(rollout),
    startedBy: rollout.startedBy,
    startedAt: rollout.startedAt,
    generation: rollout.generation,
    references: (rollout.references ?? []).map((each) => shownReference(each, isOver(rollout))),
    steps: stepsOf(rollout, evidence),
    guards: verdicts.map(shownGuard),
    ...neededOf(rollout, evidence, verdicts, at),
    ...dryRunOf(rollout),
    /** Σ w·E and the level at which the rollout is rolled back; a score below 1 is good evidence. */
    riskScore: riskScore(rollout, evidence?.stage ?? '', verdicts),
    riskLimit: 1 / rollout.risk.risk,
    /** The levels below that: what the score comes to is told, or holds the rollout until it is halfway back to 1. */
    riskLevels: riskLevels(plan),
    riskLevelsReached: riskLevelNames.filter((level) => rollout.levels?.[level] !== undefined),
    /** Guards in shadow that would have rolled it back, as guard@step. */
    wouldHaveBreached: rollout.wouldHaveBreached ?? [],
    checkEvery: plan.checkEvery,
    lastCheckAt: check?.lastCheckAt ?? null,
    nextCheckAt: check?.nextCheckAt ?? null,
    ...whyOf(rollout),
    ...revision,
  };
}

/** Without its inputs, which are long: they stand in the events that it decides. */
function shownGuard({ inputs: _inputs, ...verdict }: Verdict): ShownGuard {
  const { neededTrials, trials, neededErrors, expectedErrors } = verdict.evidence;
  return {
    ...verdict,
    ...(neededTrials === undefined ? {} : { neededTrials: remaining(neededTrials, trials) }),
    ...(neededErrors === undefined
      ? {}
      : { neededErrors: remaining(neededErrors, expectedErrors) }),
  };
}

const remaining = (needed: number, counted = 0): number => Math.max(0, Math.ceil(needed - counted));

const OVER: ReadonlySet<Existing['status']> = new Set(['completed', 'rolled-back', 'aborted']);
const isOver = ({ status }: Existing): boolean => OVER.has(status);

/** A flag or a segment that the rollout's flag refers to, and whether it is held for the rollout. */
function shownReference({ kind, key, claim, revision, disabled }: Reference, over: boolean) {
  return {
    kind,
    key,
    claim: over ? 'released' : claim.status,
    disabled,
    ...(revision ? { revision } : {}),
  };
}

/** The exposure that was asked for last. Before the first stage, and once rolled back, it is the flag's own. */
function exposureOf(rollout: Existing) {
  const { status, before, claim } = rollout;
  const restored = status === 'rolled-back' || claim.status === 'asked';
  const percentage =
    (restored ? undefined : exposedStage(rollout)?.percentage) ?? before?.exposure.percentage;
  return percentage === undefined
    ? { percentage: null, exposure: null }
    : { percentage, exposure: formatPercentage(percentage) };
}

function stepsOf(rollout: Existing, evidence: StageEvidence | undefined) {
  const { plan, position, status } = rollout;
  const reached = status === 'completed' ? plan.steps.length : (position?.index ?? -1);
  return plan.steps.map((step, index) => {
    const name = stepName(step);
    const state = index < reached ? 'done' : index === reached ? 'current' : 'ahead';
    return {
      name,
      kind: stepKind(step),
      state,
      ...timeOf(step, evidence),
      ...('stage' in step ? { percentage: step.percentage } : {}),
      ...('migrate' in step ? { migration: step.migrate, action: step.action } : {}),
      ...('approve' in step ? { role: step.role } : {}),
    };
  });
}

/** How long it is watched, and how much of that successful checks have covered. */
function timeOf(step: PlanStep, evidence: StageEvidence | undefined) {
  if (!isWatchedStep(step)) return {};
  const covered =
    evidence?.stage === watchedName(step) ? { coveredMs: Math.round(evidence.coveredMs) } : {};
  return { holdMs: step.hold, ...covered };
}

/** What the open step still waits for. */
function neededOf(
  rollout: Existing,
  evidence: StageEvidence | undefined,
  verdicts: readonly Verdict[],
  at: number,
) {
  const { plan, position } = rollout;
  const step = position && plan.steps[position.index];
  if (
    !isLive(rollout) ||
    !step ||
    !isWatchedStep(step) ||
    position.phase !== 'open' ||
    evidence?.stage !== watchedName(step)
  )
    return {};
  const leave = mayLeave(step, evidence, verdicts, position.since, at);
  return leave.leave ? {} : { waitsFor: { reason: leave.reason, message: leave.message } };
}

/** What an approver should have read: the report of the last dry run before. */
export function dryRunOf(rollout: Existing) {
  const { plan, position, runs = [] } = rollout;
  if (!isLive(rollout) || position?.phase !== 'approval') return {};
  for (const { index, run } of runs.toReversed()) {
    const step = plan.steps[index];
    if (step && 'migrate' in step && step.action === 'plan')
      return { dryRun: { step: stepName(step), migration: step.migrate, run } };
  }
  return {};
}

function whyOf(rollout: Existing) {
  switch (rollout.status) {
    case 'holding':
      return { hold: rollout.hold };
    case 'paused':
      return { paused: { by: rollout.by, reason: rollout.reason, at: rollout.pausedAt } };
    case 'rolling-back':
      return { rollback: rollout.rollback };
    case 'rolled-back':
      return { rollback: rollout.rollback, ...endOf(rollout), ...recoveryOf(rollout) };
    case 'failed':
      return { rollback: rollout.rollback, ...endOf(rollout) };
    case 'aborted':
      return { ...endOf(rollout), abortedBy: rollout.by };
    case 'completed':
      return endOf(rollout);
    default:
      return {};
  }
}

/** Whether the metrics are good again, or are still watched for it. */
const recoveryOf = ({ recovery }: RolledBack) => (recovery ? { recovery } : {});

const endOf = ({
  endedAt,
  reason,
  message,
}: {
  endedAt: number;
  reason: string;
  message: string;
}) => ({
  ended: { at: endedAt, reason, message },
});
