import type { CountsSince, Facts } from './facts.ts';
import type { Judged } from './judged.ts';
import type { SequentialPolicy } from './policy.ts';
import type { Reason } from './reasons.ts';
import { countsOf } from './sequential-sentence.ts';
import { logEvidenceGood, type Test, testOf, whole } from './sequential-test.ts';
import { about, number, span } from './text.ts';
import { untilProven } from './until-proven.ts';

/** A rate that is still as high as `detect` is called good with at most this probability, over all looks. */
const RISK = 0.05;
const THRESHOLD = -Math.log(RISK);

/** Whether a rate is within its limit again, and proven to be below the regression that its guard is there to see. */
export function judgeRateAgain(
  policy: SequentialPolicy,
  facts: Facts,
  lack: Reason | undefined,
): Judged {
  const test = testOf(policy, facts);
  const counts = whole(facts);
  const logGood = test && logGoodOf(policy, test, counts);
  const reason = lack ?? reasonFor(policy, test, facts, logGood);
  const isShort = reason === 'too-few-requests' || reason === 'too-little-time';
  const needed = test && isShort ? neededOf(policy, test, counts) : null;
  const { limit = null, regression = null } = test ?? {};
  const known = { limit, regression, compares: false, threshold: THRESHOLD };
  return {
    reason,
    logE: logGood,
    threshold: THRESHOLD,
    numbers: {
      errors: counts.bad,
      trials: counts.total,
      ...(limit === null ? {} : { limit }),
      ...(regression === null ? {} : { regression }),
      ...(needed === null ? {} : { neededTrials: needed }),
    },
    why: isShort ? neededSentence(policy, needed, counts.total) : (WHY[reason] ?? ''),
    counts: countsOf({ policy, facts, test: known, reason, logE: null, threshold: null, gate: {} }),
  };
}

const WHY: Readonly<Record<string, string>> = {
  recovered: 'good again since the rollback.',
  persisting: 'not good again since the rollback.',
  'nobody-served': 'nobody has been served since the rollback.',
  'nothing-to-compare': 'nobody has the new version any more: there is nothing to compare.',
  'too-little-recorded': 'too little was recorded before the rollout to say what is good.',
  'more-errors-than-requests': 'the counts contradict each other.',
};

/** The first line that applies decides. */
function reasonFor(
  { kind, perMs = 1_000 }: SequentialPolicy,
  test: Test | null,
  facts: Facts,
  logGood: number | null,
): Reason {
  const { bad, total } = whole(facts);
  if (test === null) return facts.recorded ? 'too-little-recorded' : 'not-read';
  if (test.limit === null) return 'nothing-to-compare';
  if (kind !== 'rate' && bad > total) return 'more-errors-than-requests';
  if (kind !== 'rate' && total === 0) return 'nobody-served';
  if (bad * (kind === 'rate' ? perMs : 1) > test.limit * total) return 'persisting';
  if (logGood !== null && logGood >= THRESHOLD) return 'recovered';
  return kind === 'rate' ? 'too-little-time' : 'too-few-requests';
}

/** ln E against "still as bad as the regression". */
const logGoodOf = (policy: SequentialPolicy, test: Test, counts: CountsSince): number | null =>
  logEvidenceGood(policy, { ...test, limit: test.regression }, counts);

const neededOf = (policy: SequentialPolicy, test: Test, counts: CountsSince): number | null =>
  untilProven(counts, (more) => (logGoodOf(policy, test, more) ?? 0) >= THRESHOLD);

function neededSentence({ kind }: SequentialPolicy, needed: number | null, has: number): string {
  if (needed === null) return 'too little was seen since the rollback to call it good.';
  return kind === 'rate'
    ? `good so far, needs about ${span(needed)} to say so, has ${span(has)}.`
    : `good so far, needs about ${about(needed)} requests to say so, has ${number(has)}.`;
}
