import type { HoldSegment, ReleaseSegment, RolloutRef, SegmentEvent } from '@tidegate/contracts';
import type { Decision } from '@tidegate/kernel';
import { generationOld } from '../flag/flag-refusals.ts';
import type { LivingSegment } from './stored-segment.ts';

/** A rollout relies on the segment, beside any number of others; it is told what the segment is. */
export function holdSegment(
  { data }: HoldSegment,
  { definition, reliedOn = [] }: LivingSegment,
): Decision<SegmentEvent> {
  const { environment, key, rollout } = data;
  const held: SegmentEvent = {
    type: 'SegmentHeld',
    data: { environment, key, rollout, definition },
  };
  const known = knownIn(reliedOn, rollout);
  if (!known) return [held];
  if (known.generation === rollout.generation && data.tellAgain !== true) return [];
  return generationOld(rollout, { rollout: known }) ?? [held];
}

/** Frees the segment from the rollout; without one, from all that rely on it. */
export function releaseSegment(
  { data }: ReleaseSegment,
  { reliedOn = [] }: LivingSegment,
): Decision<SegmentEvent> {
  const { environment, key, rollout, reason } = data;
  const released = (whom: { rollout: RolloutRef } | { rollouts: RolloutRef[] }): SegmentEvent => ({
    type: 'SegmentReleased',
    data: { environment, key, reason, ...whom },
  });
  if (!rollout) return reliedOn.length === 0 ? [] : [released({ rollouts: [...reliedOn] })];
  const known = knownIn(reliedOn, rollout);
  if (!known) return [];
  return generationOld(rollout, { rollout: known }) ?? [released({ rollout })];
}

const knownIn = (reliedOn: readonly RolloutRef[], { id }: RolloutRef): RolloutRef | undefined =>
  reliedOn.find((each) => each.id === id);
