import type { Guard, Plan, Verdict } from '@tidegate/contracts';
import { assess } from './assess.ts';
import { factsOf } from './facts-of.ts';
import { policyFor } from './policy-for.ts';
import type { RecoveryPolicy } from './policy.ts';
import type { StageEvidence } from './stage-evidence.ts';
import { NOTHING } from './stage-verdict.ts';

export interface Recovery {
  readonly outcome: 'recovered' | 'persisting';
  readonly message: string;
  readonly verdicts: readonly Verdict[];
}

/**
 * Whether the metrics are good again after a rollback, by evidence that began when it was done and counts the metrics as a
 * whole: recovered when every guard that acts says so. Of a rate that is the proof that it is below the regression that
 * the guard is there to see, wrong with a probability of at most 5 % per guard, however often it is asked for; until
 * then it persists, and so it does while data are missing. Comparisons have nothing left to compare.
 */
export function judgeRecovery(plan: Plan, evidence: StageEvidence, at: number): Recovery {
  const verdicts = plan.guards.flatMap((guard) => {
    const policy = recoveryPolicy(plan, guard);
    const known = evidence.guards[guard.name] ?? NOTHING;
    return policy ? [assess(policy, factsOf(known, at))] : [];
  });
  const bad = verdicts.filter(({ outcome }) => outcome !== 'pass');
  return {
    outcome: bad.length === 0 ? 'recovered' : 'persisting',
    message: (bad.length === 0 ? verdicts : bad).map(({ message }) => message).join(' '),
    verdicts,
  };
}

/** It is judged as if everybody had the same version, as they do. Its risk is not a rollback's. */
function recoveryPolicy(plan: Plan, guard: Guard): RecoveryPolicy | undefined {
  const metric = plan.metrics[guard.metric];
  if (!metric || guard.shadow || guard.judge === 'split') return undefined;
  const shares = { [`${guard.name}@`]: 1 };
  const of = policyFor(guard, metric, undefined, plan, { risk: plan.risk, shares });
  if (of.judge === 'split' || of.judge === 'liveness' || of.judge === 'recovery') return undefined;
  return {
    guard: guard.name,
    judge: 'recovery',
    shadow: false,
    maxAgeMs: of.maxAgeMs,
    of: of.judge === 'sequential' ? { ...of, everyone: true } : of,
  };
}
