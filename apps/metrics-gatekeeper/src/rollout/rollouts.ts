import type { Collection } from '@tidegate/store';
import { isLive, isWatched, type Rollout } from './state.ts';

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
          live: isLive(rollout),
          watched: isWatched(rollout),
          started: true,
        },
};
