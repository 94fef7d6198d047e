import type { Collection } from '@tidegate/store';
import { shareKey } from '@tidegate/gates';
import type { StageEvidence } from '@tidegate/gates';
import { judge } from '../rollout/look.ts';
import type { Existing } from '../rollout/state.ts';

/**
 * What the checks of one rollout have counted, beside its document: written at every check, where the rollout changes
 * only when something is decided. Losing the newest write loses nothing: the counters are read again.
 */
export interface StoredCheck {
  readonly arrangedAt: number;
  readonly evidence?: StageEvidence | undefined;
  /** Newest ln E of every guard × stage that has been judged, by share key. */
  readonly logEs: Readonly<Record<string, number>>;
  readonly lastCheckAt?: number | undefined;
  /** null once nothing is left to look after. */
  readonly nextCheckAt: number | null;
}

export const checkCollection: Collection<StoredCheck> = {
  name: 'rollout-checks',
  schemaVersion: 1,
  index: ({ nextCheckAt }) => (nextCheckAt === null ? {} : { dueAt: nextCheckAt }),
};

export const arranged = (at: number): StoredCheck => ({
  arrangedAt: at,
  logEs: {},
  nextCheckAt: at,
});

/** What is kept of a check at `at`. The next one is due an interval after this one was, or from now on if that is past. */
export function checked(
  before: StoredCheck,
  rollout: Existing,
  evidence: StageEvidence,
  at: number,
): StoredCheck {
  const { plan } = rollout;
  const logEs = Object.fromEntries(
    judge(rollout, evidence, at).flatMap(({ guard, logE }) =>
      logE === null ? [] : [[shareKey(guard, evidence.stage), logE] as const],
    ),
  );
  const regular = (before.nextCheckAt ?? at) + plan.checkEvery;
  return {
    ...before,
    evidence,
    logEs: { ...before.logEs, ...logEs },
    lastCheckAt: at,
    nextCheckAt: regular > at ? regular : at + plan.checkEvery,
  };
}
