import { allowedBy, isBeyond, NO_ODDS, thresholdNumbers, valueOf } from './beyond.ts';
import type { Facts } from './facts.ts';
import { type Judged, lackOf } from './judged.ts';
import type { SustainedPolicy } from './policy.ts';
import type { Reason } from './reasons.ts';
import { number, span } from './text.ts';

/** The samples of the last `for`: how many there should be, are, must be, and are beyond the threshold. */
interface Seen {
  readonly steps: number;
  readonly present: number;
  readonly needed: number;
  readonly beyond: number;
  /** Whether the time is seen from its first to its last step, or those next to them. */
  readonly isWhole: boolean;
  readonly newest: number | null;
}

/**
 * A breach when every sample of the last `for` that is there is beyond the threshold, and enough of them are there: at
 * least `coverage` of the steps, and the oldest and the newest or those next to them. It is judged from stored samples
 * alone, so a restart does not reset it, and a gap neither resets nor fakes it.
 */
export function judgeSustained(policy: SustainedPolicy, facts: Facts): Judged {
  const seen = seenOf(policy, facts);
  const reason = reasonFor(policy, facts, seen);
  const { steps, present, needed, beyond } = seen;
  return {
    ...NO_ODDS,
    reason,
    numbers: { steps, present, neededSamples: needed, beyond, ...thresholdNumbers(policy) },
    why: whyOf(policy, seen, reason),
    counts: countsOf(policy, seen),
  };
}

function seenOf(policy: SustainedPolicy, { samples = [] }: Facts): Seen {
  const values = samples.map(([, value]) => value);
  const steps = Math.max(values.length, Math.ceil(policy.forMs / policy.stepMs));
  const isThere = (value: number | null | undefined) => value !== null && value !== undefined;
  const there = values.filter((value) => value !== null);
  return {
    steps,
    present: there.length,
    needed: Math.ceil(policy.coverage * steps - 1e-9),
    beyond: there.filter((value) => isBeyond(policy, value)).length,
    isWhole:
      values.length === steps && values.slice(0, 2).some(isThere) && values.slice(-2).some(isThere),
    newest: there.at(-1) ?? null,
  };
}

/** The first line that applies decides. */
function reasonFor(policy: SustainedPolicy, facts: Facts, seen: Seen): Reason {
  const { present, needed, beyond, isWhole, newest } = seen;
  const isEnough = present > 0 && present >= needed && isWhole;
  if (isEnough && beyond === present)
    return policy.above !== null ? 'too-high-for-too-long' : 'too-low-for-too-long';
  const lack = lackOf(policy, facts);
  if (lack !== undefined) return lack;
  if (newest !== null && isBeyond(policy, newest)) return 'beyond-threshold';
  return isEnough ? 'within-threshold' : 'too-few-samples';
}

function whyOf(
  { forMs }: SustainedPolicy,
  { present, needed, steps }: Seen,
  reason: Reason,
): string {
  if (reason === 'beyond-threshold') return `beyond its threshold, not yet for ${span(forMs)}.`;
  if (reason !== 'too-few-samples') return '';
  return `${number(present)} of the ${number(steps)} samples of ${span(forMs)} are there, needs ${number(needed)} from its beginning to its end.`;
}

function countsOf(policy: SustainedPolicy, { newest, beyond, present }: Seen): string {
  if (newest === null) return '';
  return `${valueOf(policy, newest)} now, ${allowedBy(policy)}; beyond it in ${number(beyond)} of ${number(present)} samples of the last ${span(policy.forMs)}.`;
}
