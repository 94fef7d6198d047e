import type { ThresholdBreached } from '@tidegate/contracts';
import type { Existing } from './state.ts';

/** Labels by which a breach from outside names what it is about. */
const ABOUT = ['rollout', 'plan', 'flag'] as const;

/**
 * Whether a breach that names no rollout is about this one: it names at least one of its id, plan and flag, and no
 * other than its own. An alert about everything is about nothing in particular: it rolls nothing back.
 */
export function isAbout(
  { environment, labels }: ThresholdBreached['data'],
  rollout: Existing,
): boolean {
  if (environment !== rollout.environment) return false;
  const own = { rollout: rollout.id, plan: rollout.plan.plan, flag: rollout.plan.flag };
  const named = ABOUT.filter((label) => labels[label] !== undefined);
  return named.length > 0 && named.every((label) => labels[label] === own[label]);
}
