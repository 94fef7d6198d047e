import { allowedBy, isBeyond, NO_ODDS, thresholdNumbers, valueOf } from './beyond.ts';
import type { Facts } from './facts.ts';
import { type Judged, lackOf } from './judged.ts';
import type { RecoveryPolicy, ThresholdPolicy } from './policy.ts';
import type { Reason } from './reasons.ts';
import { judgeRateAgain } from './recovered-rate.ts';

/**
 * Whether what a guard watches is good again, judged on nothing but what was counted since the rollback. A tested rate is
 * when it is within its limit and proven to be below the regression that the guard is there to see (`detect`): that proof
 * is wrong with a probability of at most 5 %, however often it is looked at. Of anything else the newest value must be
 * within the threshold. Nobody served while the source answers is no harm done; missing data are never good news.
 */
export function judgeRecoveryOf(policy: RecoveryPolicy, facts: Facts): Judged {
  const lack = lackOf(policy, facts);
  return policy.of.judge === 'sequential'
    ? judgeRateAgain(policy.of, facts, lack)
    : judgeValueAgain(policy.of, facts, lack);
}

const WHY: Readonly<Record<string, string>> = {
  recovered: 'good again since the rollback.',
  persisting: 'not good again since the rollback.',
  'nobody-served': 'nobody has been served since the rollback.',
  'no-value': 'there is no value yet.',
};

function judgeValueAgain(policy: ThresholdPolicy, facts: Facts, lack: Reason | undefined): Judged {
  const newest =
    policy.judge === 'immediate'
      ? (facts.value ?? null)
      : ((facts.samples ?? []).findLast(([, value]) => value !== null)?.[1] ?? null);
  const reason = lack ?? valueReason(policy, newest);
  return {
    ...NO_ODDS,
    reason,
    numbers: { ...(newest === null ? {} : { value: newest }), ...thresholdNumbers(policy) },
    why: WHY[reason] ?? '',
    counts: newest === null ? '' : `${valueOf(policy, newest)}, ${allowedBy(policy)}.`,
  };
}

/** Of a share or a time there is no sample where nobody was served. */
const isOfRequests = ({ kind }: ThresholdPolicy): boolean => kind === 'ratio' || kind === 'latency';

function valueReason(policy: ThresholdPolicy, newest: number | null): Reason {
  if (newest === null) return isOfRequests(policy) ? 'nobody-served' : 'no-value';
  return isBeyond(policy, newest) ? 'persisting' : 'recovered';
}
