import type { RolloutRef } from '@tidegate/contracts';

/** Rollouts that rely on a flag or a segment; left out while there are none. */
interface Reliance {
  readonly reliedOn?: RolloutRef[];
}

/** One more relies on it, or the same one in another generation. */
export const joinedBy = (
  reliedOn: readonly RolloutRef[] | undefined,
  rollout: RolloutRef,
): Reliance => ({
  reliedOn: [...(reliedOn ?? []).filter(({ id }) => id !== rollout.id), rollout],
});

/** Those rely on it no longer. */
export function without(
  reliedOn: readonly RolloutRef[] | undefined,
  released: readonly RolloutRef[],
): Reliance {
  const left = (reliedOn ?? []).filter(({ id }) => !released.some((each) => each.id === id));
  return left.length > 0 ? { reliedOn: left } : {};
}
