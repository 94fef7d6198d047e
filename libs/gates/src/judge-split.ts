import { logEvidenceSplit } from '@tidegate/statistics';
import type { CountsSince, Facts } from './facts.ts';
import { type Judged, lackOf } from './judged.ts';
import type { SplitPolicy } from './policy.ts';
import type { Reason } from './reasons.ts';
import { mixed, whole } from './sequential-test.ts';
import { number, odds, percent } from './text.ts';

/**
 * Whether canary and baseline get the traffic that they should. It assumes that what is counted is assigned one by one:
 * requests of the same user come in bunches, so where users are split, users are what should be counted.
 */
export function judgeSplit(policy: SplitPolicy, facts: Facts): Judged {
  const threshold = -Math.log(policy.risk);
  const logE = policy.everyone
    ? null
    : mixed(policy.horizon, facts, (each) => logEvidence(policy, each));
  const [canary, baseline] = countsOf(policy, whole(facts));
  const all = canary + baseline;
  const reason = reasonFor(policy, facts, { logE, threshold, all });
  const { canaryShare, risk } = policy;
  return {
    reason,
    logE,
    threshold,
    numbers: { canary, baseline, canaryShare, risk },
    why: whyOf(reason),
    counts:
      all === 0 || logE === null
        ? ''
        : `the canary got ${number(canary)} of ${number(all)} (${percent(canary / all, 2)}), should get ${percent(canaryShare)}${odds(logE, threshold).replace('of a breach', 'of a mismatch')}.`,
  };
}

function whyOf(reason: Reason): string {
  switch (reason) {
    case 'sample-ratio-mismatch':
      return 'canary and baseline do not get the traffic that they should, so nothing is compared.';
    case 'no-requests':
      return 'there has been no request yet.';
    case 'no-baseline-requests':
      return 'the baseline has not been counted yet.';
    case 'nothing-to-compare':
      return 'everybody has the new version: there is nothing left to compare it with.';
    default:
      return '';
  }
}

/** Of a count what happened in either arm, of a ratio its requests. */
function countsOf({ kind }: SplitPolicy, { bad, total, baseline }: CountsSince): [number, number] {
  return kind === 'count' ? [bad, baseline?.bad ?? 0] : [total, baseline?.total ?? 0];
}

/** Null where the baseline was not counted: that is not a baseline without traffic. */
const logEvidence = (policy: SplitPolicy, counts: CountsSince): number | null =>
  counts.baseline === undefined
    ? null
    : logEvidenceSplit({
        counts: countsOf(policy, counts),
        shares: [policy.canaryShare, 1 - policy.canaryShare],
      });

interface Known {
  readonly logE: number | null;
  readonly threshold: number;
  readonly all: number;
}

/** The first line that applies decides. */
function reasonFor(policy: SplitPolicy, facts: Facts, { logE, threshold, all }: Known): Reason {
  if (logE !== null && logE >= threshold) return 'sample-ratio-mismatch';
  const lack = lackOf(policy, facts);
  if (lack !== undefined) return lack;
  if (logE === null) return 'nothing-to-compare';
  if (all === 0) return 'no-requests';
  return whole(facts).baseline === undefined ? 'no-baseline-requests' : 'split-as-planned';
}
