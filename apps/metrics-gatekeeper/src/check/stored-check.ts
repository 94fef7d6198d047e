import type { Collection } from '@tidegate/store';
import type { StageEvidence } from '@tidegate/gates';
import type { Existing } from '../rollout/state.ts';

/**
 * What the checks of one rollout have counted, beside its document: written at every check, where the rollout changes
 * only when something is decided. Losing the newest write loses nothing: the counters are read again.
 */
export interface StoredCheck {
  readonly arrangedAt: number;
  readonly evidence?: StageEvidence | undefined;
  readonly lastCheckAt?: number | undefined;
  /** null once nothing is left to look after. */
  readonly nextCheckAt: number | null;
}

export const checkCollection: Collection<StoredCheck> = {
  name: 'rollout-checks',
  schemaVersion: 1,
  index: ({ nextCheckAt }) => (nextCheckAt === null ? {} : { dueAt: nextCheckAt }),
  durable: false, // the counters are read again
};

export const arranged = (at: number): StoredCheck => ({
  arrangedAt: at,
  nextCheckAt: at,
});

/** What is kept of a check at `at`. The next one is due an interval after this one was, or from now on if that is past. */
export function checked(
  before: StoredCheck,
  rollout: Existing,
  evidence: StageEvidence,
  at: number,
): StoredCheck {
  const { checkEvery } = rollout.plan;
  const regular = (before.nextCheckAt ?? at) + checkEvery;
  return {
    ...before,
    evidence,
    lastCheckAt: at,
    nextCheckAt: regular > at ? regular : at + checkEvery,
  };
}
