import type { Facts } from './facts.ts';
import type { Gate } from './gate.ts';
import type { SequentialPolicy } from './policy.ts';
import type { Reason } from './reasons.ts';
import { type Test, whole } from './sequential-test.ts';
import { about, number, odds, percent, span, times } from './text.ts';

interface About {
  readonly policy: SequentialPolicy;
  readonly facts: Facts;
  readonly test: Test;
  readonly reason: Reason;
  readonly logE: number | null;
  readonly threshold: number | null;
  readonly gate: Gate;
}

/** "63 of 1 204 requests failed (5.2 %), limit 1 %; evidence 1:4 300 against chance, needed 1:100." */
export function countsOf({ policy, facts, test, logE, threshold }: About): string {
  const { bad, total, baseline } = whole(facts);
  if (bad + total === 0) return '';
  const against = [
    test.compares && baseline
      ? `the baseline’s ${share(policy, baseline)}, ${allowed(policy)}`
      : undefined,
    before(policy, facts),
    test.limit === null ? undefined : `limit ${limitOf(policy, test.limit)}`,
  ].filter((each) => each !== undefined);
  return `${[counted(policy, { bad, total }), ...against].join(', ')}${odds(logE, threshold)}.`;
}

interface Counts {
  readonly bad: number;
  readonly total: number;
}

function counted(policy: SequentialPolicy, counts: Counts): string {
  if (policy.kind === 'rate') return `${share(policy, counts)} in ${span(counts.total)}`;
  const { bad, total } = counts;
  const what = policy.kind === 'ratio' ? 'failed' : `took over ${span(policy.overMs ?? 0)}`;
  const part = total === 0 || bad > total ? '' : ` (${percent(bad / total, 2)})`;
  return `${number(bad)} of ${number(total)} requests ${what}${part}`;
}

function share({ kind }: SequentialPolicy, { bad, total }: Counts): string {
  if (kind === 'rate') return number(bad);
  return `${number(bad)} of ${number(total)}${total === 0 ? '' : ` (${percent(bad / total, 2)})`}`;
}

/** What was recorded before the rollout, where that makes the limit. */
function before(policy: SequentialPolicy, { recorded }: Facts): string | undefined {
  if (policy.baseline !== 'recorded' || policy.margin === null || !recorded) return undefined;
  const time = policy.kind === 'rate' ? ` in ${span(recorded.total)}` : '';
  return `before the rollout ${share(policy, recorded)}${time}, ${allowed(policy)}`;
}

const allowed = ({ margin }: SequentialPolicy): string =>
  margin === 0 ? 'no more allowed' : `${percent(margin ?? 0)} more allowed`;

/** Of a limit that is computed; one that a person has written rarely has more. */
const DIGITS = 3;

const limitOf = ({ kind, perMs = 1_000 }: SequentialPolicy, limit: number): string =>
  kind === 'rate'
    ? `${number(Number(limit.toPrecision(DIGITS)))} in ${span(perMs)}`
    : percent(Number(limit.toPrecision(DIGITS)));

/** What is still needed or wrong. Empty for a breach and for what passes: there the counts say it. */
export function whyOf({ policy, facts, test, reason, gate }: About): string {
  const { total } = whole(facts);
  const needed = gate.neededTrials ?? null;
  switch (reason) {
    case 'more-errors-than-requests':
      return 'the counts contradict each other.';
    case 'no-requests':
      return policy.kind === 'rate'
        ? 'no time has been counted yet.'
        : 'there has been no request yet.';
    case 'no-baseline-requests':
      return 'the baseline has had no request, so there is nothing to compare with yet.';
    case 'nothing-to-compare':
      return 'everybody has the new version: there is nothing left to compare it with.';
    case 'too-little-recorded':
      return 'too little was recorded before the rollout to say what is worse.';
    case 'both-arms-bad':
      return 'the baseline is over the limit as well: a rollback will not mend that.';
    case 'sample-ratio-mismatch':
      return 'canary and baseline do not get the traffic that they should, so they are not compared.';
    case 'too-few-requests':
      return needed === null
        ? `no number of requests is enough to see ${percent(test.regression ?? 0, 2)}.`
        : `needs about ${about(needed)} requests to have seen ${percent(Number((test.regression ?? 0).toPrecision(6)))}, has ${number(total)}.`;
    case 'too-little-time':
      return needed === null
        ? `no time is enough to see ${limitOf(policy, test.regression ?? 0)}.`
        : `needs about ${span(needed)} to have seen ${limitOf(policy, test.regression ?? 0)}, has ${span(total)}.`;
    case 'too-few-errors':
      return needed === null
        ? `too little fails to tell ${times(policy.detect)} as bad from as good.`
        : `needs about ${about(needed)} requests to have seen ${times(policy.detect)} the baseline’s errors, has ${number(total)}.`;
    case 'not-proven-good':
      return notProven(policy, test, needed, total);
    default:
      return '';
  }
}

function notProven(
  policy: SequentialPolicy,
  test: Test,
  needed: number | null,
  total: number,
): string {
  const what = test.compares
    ? `no worse than the baseline, ${allowed(policy)}`
    : `below ${limitOf(policy, test.limit ?? 0)}`;
  const amount = (value: number) =>
    policy.kind === 'rate' ? span(value) : `${about(value)} requests`;
  if (needed === null) return `not proven to be ${what}, and at this rate it never will be.`;
  const has = policy.kind === 'rate' ? span(total) : number(total);
  return `not proven to be ${what}: at this rate it needs about ${amount(needed)}, has ${has}.`;
}
