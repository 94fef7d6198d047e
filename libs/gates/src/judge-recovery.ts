import { logEvidenceEventsBelow, logEvidenceRateBelow, priorFor } from '@tidegate/statistics';
import { allowedBy, isBeyond, NO_ODDS, thresholdNumbers, valueOf } from './beyond.ts';
import type { Facts } from './facts.ts';
import { type Judged, lackOf } from './judged.ts';
import type { RecoveryPolicy, SequentialPolicy, ThresholdPolicy } from './policy.ts';
import type { Reason } from './reasons.ts';
import { countsOf } from './sequential-sentence.ts';
import { type Test, testOf, whole } from './sequential-test.ts';

/** A rate that is still as high as `detect` is called good with at most this probability, over all looks. */
const RISK = 0.05;

/**
 * Whether what a guard watches is good again, judged on nothing but what was counted since the rollback. A tested rate is
 * when it is within its limit and proven to be below the regression that the guard is there to see (`detect`): that proof
 * is wrong with a probability of at most 5 %, however often it is looked at. Of anything else the newest value must be
 * within the threshold. Nobody served while the source answers is no harm done; missing data are never good news.
 */
export function judgeRecoveryOf(policy: RecoveryPolicy, facts: Facts): Judged {
  const lack = lackOf(policy, facts);
  return policy.of.judge === 'sequential'
    ? testedAgain(policy.of, facts, lack)
    : seenAgain(policy.of, facts, lack);
}

function testedAgain(policy: SequentialPolicy, facts: Facts, lack: Reason | undefined): Judged {
  const test = testOf(policy, facts);
  const { bad, total } = whole(facts);
  const logGood = test === null ? null : logEvidenceGood(policy, test, facts);
  const threshold = -Math.log(RISK);
  const reason = lack ?? againReason(policy, test, facts, logGood);
  const known = test ?? { limit: null, regression: null, compares: false, threshold };
  return {
    reason,
    logE: logGood,
    threshold,
    numbers: {
      errors: bad,
      trials: total,
      ...(known.limit === null ? {} : { limit: known.limit }),
      ...(known.regression === null ? {} : { regression: known.regression }),
    },
    why: WHY[reason] ?? '',
    counts: countsOf({ policy, facts, test: known, reason, logE: null, threshold: null, gate: {} }),
  };
}

const WHY: Readonly<Record<string, string>> = {
  recovered: 'good again since the rollback.',
  persisting: 'not good again since the rollback, or too little was seen to say so.',
  'nobody-served': 'nobody has been served since the rollback.',
  'nothing-to-compare': 'nobody has the new version any more: there is nothing to compare.',
  'too-little-recorded': 'too little was recorded before the rollout to say what is good.',
  'more-errors-than-requests': 'the counts contradict each other.',
  'no-value': 'there is no value yet.',
};

function againReason(
  policy: SequentialPolicy,
  test: Test | null,
  facts: Facts,
  logGood: number | null,
): Reason {
  const { kind, perMs = 1_000 } = policy;
  const { bad, total } = whole(facts);
  if (test === null) return facts.recorded ? 'too-little-recorded' : 'not-read';
  if (test.limit === null) return 'nothing-to-compare';
  if (kind !== 'rate' && bad > total) return 'more-errors-than-requests';
  if (kind !== 'rate' && total === 0) return 'nobody-served';
  if (kind === 'rate' ? bad * perMs > test.limit * total : bad > test.limit * total)
    return 'persisting';
  return logGood !== null && logGood >= -Math.log(RISK) ? 'recovered' : 'persisting';
}

function logEvidenceGood(
  { kind, perMs = 1_000 }: SequentialPolicy,
  { regression }: Test,
  facts: Facts,
): number | null {
  const { bad, total } = whole(facts);
  if (
    regression === null ||
    (kind !== 'rate' && regression >= 1) ||
    (kind !== 'rate' && bad > total)
  )
    return null;
  if (kind === 'rate')
    return logEvidenceEventsBelow({ events: bad, exposureMs: total, limit: regression, perMs });
  const prior = priorFor(regression);
  return logEvidenceRateBelow({ errors: bad, trials: total, limit: regression, ...prior });
}

/** Of a share or a time there is no sample where nobody was served. */
const isOfRequests = ({ kind }: ThresholdPolicy): boolean => kind === 'ratio' || kind === 'latency';

function seenAgain(policy: ThresholdPolicy, facts: Facts, lack: Reason | undefined): Judged {
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

function valueReason(policy: ThresholdPolicy, newest: number | null): Reason {
  if (newest === null) return isOfRequests(policy) ? 'nobody-served' : 'no-value';
  return isBeyond(policy, newest) ? 'persisting' : 'recovered';
}
