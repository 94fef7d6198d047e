import { classOf } from '@tidegate/gates';
import type { Hold } from './state.ts';

/**
 * Whether a rollout that is held is held on, perhaps for another reason of the same kind: data that are missing now in
 * one way and now in another have been missing all the time, and page once.
 */
export function isSameHold(held: Hold | undefined, reason: string): held is Hold {
  if (held === undefined) return false;
  const kind = classOf(reason);
  const lasts = kind === 'missing' || kind === 'unseen';
  return held.reason === reason || (lasts && classOf(held.reason) === kind);
}
