import { reason, stepKind, stepName, type Verdict } from '@tidegate/contracts';
import { formatPercentage } from '@tidegate/kernel';
import { z } from 'zod';
import type { StoredCheck } from '../check/stored-check.ts';
import { logRiskScore } from '@tidegate/gates';
import { mayLeave, type StageEvidence } from '@tidegate/gates';
import { judge } from './look.ts';
import { type Existing, isLive, type Reference } from './state.ts';

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

/** A guard's newest judgement, and what it still needs. */
export interface ShownGuard extends Verdict {
  readonly neededTrials?: number;
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
  const score = Math.exp(logRiskScore(rollout.risk, check?.logEs ?? {}));
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
    ...neededOf(rollout, evidence, verdicts),
    /** Σ w·E and the level at which the rollout is rolled back; a score below 1 is good evidence. */
    riskScore: score,
    riskLimit: 1 / rollout.risk.risk,
    checkEvery: plan.checkEvery,
    lastCheckAt: check?.lastCheckAt ?? null,
    nextCheckAt: check?.nextCheckAt ?? null,
    ...whyOf(rollout),
    ...revision,
  };
}

function shownGuard(verdict: Verdict): ShownGuard {
  const { neededTrials, trials } = verdict.evidence;
  if (neededTrials === undefined || trials === undefined) return verdict;
  return { ...verdict, neededTrials: Math.max(0, neededTrials - trials) };
}

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
function exposureOf({ plan, exposed, status, before, claim }: Existing) {
  const stage = plan.steps.find((step) => 'stage' in step && step.stage === exposed?.stage);
  const restored = status === 'rolled-back' || claim.status === 'asked';
  const percentage =
    (!restored && stage && 'stage' in stage ? stage.percentage : undefined) ??
    before?.exposure.percentage;
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
    const stage = 'stage' in step;
    const covered = stage && evidence?.stage === name ? { coveredMs: evidence.coveredMs } : {};
    return {
      name,
      kind: stepKind(step),
      state,
      ...(stage ? { percentage: step.percentage, holdMs: step.hold, ...covered } : {}),
      ...('migrate' in step ? { migration: step.migrate, action: step.action } : {}),
      ...('approve' in step ? { role: step.role } : {}),
    };
  });
}

/** What the open stage still waits for. */
function neededOf(
  rollout: Existing,
  evidence: StageEvidence | undefined,
  verdicts: readonly Verdict[],
) {
  const { plan, position } = rollout;
  const step = position && plan.steps[position.index];
  if (
    !isLive(rollout) ||
    !step ||
    !('stage' in step) ||
    position.phase !== 'open' ||
    evidence?.stage !== step.stage
  )
    return {};
  const leave = mayLeave(step, evidence, verdicts);
  return leave.leave ? {} : { waitsFor: { reason: leave.reason, message: leave.message } };
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
