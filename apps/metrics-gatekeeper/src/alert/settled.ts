import { isWatched, type Rollout } from '../rollout/state.ts';

/** Nobody can say of metrics that stayed bad that they are in hand: after this they have been told for long enough. */
const TOLD_FOR_MS = 4 * 3_600_000;

/**
 * Whether the breaches of a rollout are told as resolved. Not while something of it is left to look after, nor while its
 * rollback is incomplete: until the answer comes, or a person aborts it. Metrics that are not good again are told for
 * four hours.
 */
export function isSettled(rollout: Rollout | undefined, at: number): boolean {
  if (rollout?.status === 'failed') return false;
  if (rollout?.status === 'rolled-back' && rollout.recovery?.status === 'persisting')
    return at - rollout.recovery.at >= TOLD_FOR_MS;
  return !rollout || !isWatched(rollout);
}
