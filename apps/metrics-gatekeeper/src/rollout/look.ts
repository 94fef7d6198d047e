import type { Verdict } from '@tidegate/contracts';
import type { Reading } from '@tidegate/metrics-source';
import {
  checkStage,
  judgeRecovery,
  judgeStage,
  NO_STAGE,
  openStage,
  type StageEvidence,
} from '@tidegate/gates';
import {
  awaitsRecovery,
  type Common,
  type Existing,
  isCounting,
  type RolledBack,
} from './state.ts';

/** Of the time after a rollback: the metrics as a whole, whoever is served what. No step can be called so. */
export const RECOVERY = '(recovery)';

/**
 * The evidence after one more check. It is about the stage or bake that was exposed last (`NO_STAGE` before the first,
 * `RECOVERY` after a rollback), and its time counts as covered only between two checks if it counted all the while: see `isCounting`.
 * @param rollout as it is once the readings are there: while they are taken it can be paused
 * @param known the evidence before, undefined at the first check
 */
export function look(
  rollout: Existing,
  known: StageEvidence | undefined,
  readings: readonly Reading[],
  at: number,
): StageEvidence {
  if (awaitsRecovery(rollout)) return lookAfter(rollout, known, readings, at);
  const { plan, exposed, startedAt, countedFrom } = rollout;
  const stage = exposed?.stage ?? NO_STAGE;
  const before =
    known?.stage === stage ? known : openStage(plan, stage, exposed?.at ?? startedAt, known);
  const after = checkStage(plan, before, readings, at);
  const counts =
    isCounting(rollout) && before.lastSuccessAt !== null && before.lastSuccessAt >= countedFrom;
  return counts ? after : { ...after, coveredMs: before.coveredMs };
}

function lookAfter(
  { plan, endedAt }: RolledBack,
  known: StageEvidence | undefined,
  readings: readonly Reading[],
  at: number,
): StageEvidence {
  const before =
    known?.stage === RECOVERY
      ? known
      : openStage(plan, RECOVERY, at, known, { overall: true, countedFrom: endedAt });
  return checkStage(plan, before, readings, at);
}

/** Every guard's verdict. Before the first stage only those that need no share of the risk: a violation is one. */
export function judge(
  { plan, risk }: Pick<Common, 'plan' | 'risk'>,
  evidence: StageEvidence,
  at: number,
): readonly Verdict[] {
  if (evidence.stage === RECOVERY) return judgeRecovery(plan, evidence, at).verdicts;
  const guards =
    evidence.stage === NO_STAGE
      ? plan.guards.filter((each) => each.judge === 'immediate')
      : plan.guards;
  return judgeStage({ ...plan, guards }, risk, evidence, at);
}
