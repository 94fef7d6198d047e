import type { Collection } from '@tidegate/store';
import { isLive, isWatched, type ReferenceName, type Rollout } from './state.ts';

/** The field by which rollouts are found that rely on a flag or a segment. */
export const relyingOn = ({ kind, key }: ReferenceName): string => `relies on ${kind}/${key}`;

export const rolloutCollection: Collection<Rollout> = {
  name: 'rollouts',
  schemaVersion: 1,
  index: (rollout) =>
    rollout.status === 'absent'
      ? {}
      : {
          environment: rollout.environment,
          plan: rollout.plan.plan,
          flag: rollout.plan.flag,
          status: rollout.status,
          ...Object.fromEntries((rollout.references ?? []).map((each) => [relyingOn(each), true])),
          live: isLive(rollout),
          watched: isWatched(rollout),
          started: true,
        },
};
