import type { Verdict } from '@tidegate/contracts';
import type { Facts } from './facts.ts';
import { judgeImmediate } from './judge-immediate.ts';
import { judgeLiveness } from './judge-liveness.ts';
import { judgeRecoveryOf } from './judge-recovery.ts';
import { judgeSequential } from './judge-sequential.ts';
import { judgeSplit } from './judge-split.ts';
import { judgeSustained } from './judge-sustained.ts';
import type { Judged } from './judged.ts';
import { inputsOf } from './inputs.ts';
import { packed } from './packed.ts';
import type { Policy } from './policy.ts';
import { outcomeOf } from './reasons.ts';
import { sentenceFor } from './sentence.ts';

/** Judges facts by a policy. The verdict holds both as its `inputs`, the facts packed: `reassess` judges it again. */
export function assess(policy: Policy, facts: Facts): Verdict {
  const judged = judge(policy, facts);
  const { reason, logE, threshold, numbers } = judged;
  return {
    guard: policy.guard,
    outcome: outcomeOf(reason),
    reason,
    logE,
    threshold,
    evidence: { ...numbers, ...ages(policy, facts) },
    message: sentenceFor(policy, facts, judged),
    inputs: { policy, facts: packed(facts) } as unknown as NonNullable<Verdict['inputs']>,
    ...(policy.shadow ? { shadow: true } : {}),
  };
}

function judge(policy: Policy, facts: Facts): Judged {
  switch (policy.judge) {
    case 'sequential':
      return judgeSequential(policy, facts);
    case 'sustained':
      return judgeSustained(policy, facts);
    case 'immediate':
      return judgeImmediate(policy, facts);
    case 'split':
      return judgeSplit(policy, facts);
    case 'liveness':
      return judgeLiveness(policy, facts);
    case 'recovery':
      return judgeRecoveryOf(policy, facts);
  }
}

/** A kind of missing data stands under its own name. */
const ages = ({ maxAgeMs }: Policy, { ageMs, missing }: Facts): Judged['numbers'] => ({
  maxAgeMs,
  ...(ageMs === null ? {} : { ageMs }),
  ...(missing === null ? {} : { [missing.kind]: missing.targets }),
});

/** The same verdict, computed again from its inputs. Undefined if they are not there, or not of a guard of ours. */
export function reassess(verdict: Verdict): Verdict | undefined {
  const inputs = inputsOf(verdict);
  return inputs && assess(inputs.policy, inputs.facts);
}
