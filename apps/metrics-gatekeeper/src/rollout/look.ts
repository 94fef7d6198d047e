import type { Reading } from '@tidegate/metrics-source';
import { checkStage, openStage, type StageEvidence } from '../gate/stage.ts';
import type { Existing } from './state.ts';

/**
 * The evidence after one more check. It is about the stage that was exposed last (`""` before the first), and its
 * time counts as covered only between two checks while the stage is open and the rollout is not paused.
 * @param known the evidence before, undefined at the first check
 */
export function look(
  rollout: Existing,
  known: StageEvidence | undefined,
  readings: readonly Reading[],
  at: number,
): StageEvidence {
  const { plan, exposed, startedAt, countedFrom, position, status } = rollout;
  const stage = exposed?.stage ?? '';
  const before =
    known?.stage === stage ? known : openStage(plan, stage, exposed?.at ?? startedAt, known);
  const after = checkStage(plan, before, readings, at);
  const counts =
    status !== 'paused' &&
    position?.phase === 'open' &&
    before.lastSuccessAt !== null &&
    before.lastSuccessAt >= countedFrom;
  return counts ? after : { ...after, coveredMs: before.coveredMs };
}
