import { allowedBy, isBeyond, NO_ODDS, thresholdNumbers, valueOf } from './beyond.ts';
import type { Facts } from './facts.ts';
import { type Judged, lackOf } from './judged.ts';
import type { ImmediatePolicy } from './policy.ts';
import type { Reason } from './reasons.ts';

/** What is measured rather than counted. */
const MEASURED: ReadonlySet<ImmediatePolicy['kind']> = new Set(['value', 'promql']);

const SEEN: Readonly<Partial<Record<ImmediatePolicy['kind'], string>>> = {
  count: ' counted',
  rate: ' counted',
  signal: ' reported',
  alert: ' firing',
};

/** One number against a threshold: a breach at once. */
export function judgeImmediate(policy: ImmediatePolicy, facts: Facts): Judged {
  const value = facts.value ?? null;
  const reason = reasonFor(policy, facts, value);
  const isMeasured = MEASURED.has(policy.kind);
  return {
    ...NO_ODDS,
    reason,
    numbers: {
      ...(value === null ? {} : { [isMeasured ? 'value' : 'count']: value }),
      ...thresholdNumbers(policy),
    },
    why: reason === 'no-value' ? 'there is no value yet.' : '',
    counts:
      value === null
        ? ''
        : `${valueOf(policy, value)}${SEEN[policy.kind] ?? ''}, ${allowedBy(policy)}.`,
  };
}

/** The first line that applies decides. What is proven stays proven while new data are missing. */
function reasonFor(policy: ImmediatePolicy, facts: Facts, value: number | null): Reason {
  const isMeasured = MEASURED.has(policy.kind);
  if (value !== null && isBeyond(policy, value)) {
    if (policy.below !== null) return 'value-too-low';
    return isMeasured ? 'value-too-high' : 'count-too-high';
  }
  const lack = lackOf(policy, facts);
  if (lack !== undefined) return lack;
  if (value === null) return 'no-value';
  return isMeasured ? 'value-within-limit' : 'count-within-limit';
}
