import { formatDuration } from '@tidegate/kernel';
import type { Hold } from '../flag/stored-flag.ts';

/** A hold whose stage wants to be closed when nobody looks after its rollout. */
export type WatchedHold = Hold & { readonly watch: NonNullable<Hold['watch']> };

export const isWatched = (hold: Hold | undefined): hold is WatchedHold => hold?.watch !== undefined;

/**
 * For how long nobody has looked after the rollout, ms. What was heard before the stage asked for it does not count
 * against it, and a clock that was set back makes nothing silent.
 * @param lastHeardAt when its newest check that was heard of was complete, ms since 1970
 */
export const silentFor = (
  { watch }: WatchedHold,
  lastHeardAt: number | undefined,
  now: number,
): number => Math.max(0, now - Math.max(watch.since, lastHeardAt ?? watch.since));

export const isSilent = (
  hold: WatchedHold,
  lastHeardAt: number | undefined,
  now: number,
): boolean => silentFor(hold, lastHeardAt, now) > hold.watch.closeIfSilentMs;

/** What people read in the flag, its history, the audit and the pause of the rollout. */
export const closedBecause = ({ rollout, step }: Hold, silentMs: number): string =>
  `metrics-gatekeeper has not looked after rollout ${rollout.id} for ${formatDuration(silentMs)}; ` +
  (step === undefined ? 'its open stage closes itself' : `stage ${step} closes itself`);
