import {
  errorsForPower,
  exposureForPower,
  logEvidenceRateBelow,
  powerToSee,
  priorFor,
  shareOfErrors,
  smallestDetectable,
  trialsForPower,
  trialsToCertify,
} from '@tidegate/statistics';
import type { Seen } from './feasibility.ts';
import type { Facts } from './facts.ts';
import { type Gate, gateOf, thresholdOfFirst } from './gate.ts';
import type { SequentialPolicy } from './policy.ts';
import type { Test } from './sequential-test.ts';

/** What a judge can see with the traffic that there is. Null where that is not known, or there is nothing to say. */
export interface Reach {
  /** The regression that the plan wants seen: a rate, or how many times the baseline. */
  readonly detect: number | null;
  /** Requests it takes to see that with 80 % power; of a comparison, errors of both sides. */
  readonly needed: number | null;
  /** The probability that it is seen within the hold time. */
  readonly power: number | null;
  /** What is seen with 80 % power within the hold time. */
  readonly smallest: number | null;
  /** Until the wanted regression is seen with 80 % power; Infinity: never. */
  readonly seenAfterMs: number | null;
  /** Until a healthy version may go on, at the earliest; Infinity: never. */
  readonly passesAfterMs: number | null;
  /** The smallest rate that could be proven to be kept within the hold time, if nothing at all goes wrong. */
  readonly provable: number | null;
}

export const unseen: Reach = {
  detect: null,
  needed: null,
  power: null,
  smallest: null,
  seenAfterMs: null,
  passesAfterMs: null,
  provable: null,
};

export const POWER = 0.8;

/** Against a limit, or what was recorded before. */
export function limited(policy: SequentialPolicy, test: Test, seen: Seen): Reach {
  const { limit, regression } = test;
  if (limit === null || regression === null) return { ...unseen, passesAfterMs: seen.holdMs };
  const threshold = thresholdOfFirst(policy, test);
  if (policy.kind === 'rate') return inTime(policy, { limit, regression, threshold }, seen);
  const needed = trialsForPower({ limit, regression, threshold, power: POWER });
  const { perSecond, holdMs } = seen;
  const base = { ...unseen, detect: regression, needed };
  if (perSecond === null) return base;
  const trials = Math.floor((perSecond * holdMs) / 1_000);
  const seenAfterMs = timeFor(needed, perSecond);
  return {
    ...base,
    power: trials === 0 ? 0 : powerToSee({ limit, trials, regression, threshold }),
    smallest: trials === 0 ? null : smallestDetectable({ limit, trials, threshold, power: POWER }),
    seenAfterMs,
    passesAfterMs: Math.max(holdMs, gateAfter(policy, test, seen, seenAfterMs)),
    provable: trials === 0 ? null : provableIn(trials, test.threshold),
  };
}

/** The smallest rate that the judge can prove to be kept by so many requests of which none fails. */
function provableIn(trials: number, threshold: number): number {
  const proves = (limit: number) =>
    limit >= 1 ||
    logEvidenceRateBelow({ errors: 0, trials, limit, ...priorFor(limit) }) >= threshold;
  // Nobody can prove less, whatever the test.
  const least = -Math.expm1(-threshold / trials);
  return Math.min(1, smallestOf(least, proves) ?? 1);
}

interface Wanted {
  readonly limit: number;
  readonly regression: number;
  readonly threshold: number;
}

/** Events in a time: what matters is the time alone. */
function inTime({ perMs = 1_000 }: SequentialPolicy, wanted: Wanted, { holdMs }: Seen): Reach {
  const after = (regression: number) =>
    exposureForPower({ ...wanted, perMs, regression, power: POWER });
  const seenAfterMs = after(wanted.regression);
  const smallest = smallestOf(wanted.limit, (regression) => after(regression) <= holdMs);
  return {
    ...unseen,
    detect: wanted.regression,
    smallest,
    seenAfterMs,
    passesAfterMs: Math.max(holdMs, seenAfterMs),
  };
}

/** Against a baseline at the same time: its own errors are what there is to learn from. As the gate asks for it. */
export function comparing(policy: SequentialPolicy, test: Test, seen: Seen): Reach {
  const { detect, margin, gate } = policy;
  const { share, traffic, holdMs } = seen;
  if (share === null || share <= 0 || share >= 1) return { ...unseen, detect };
  const { perSecond = null, badShare = null } = traffic ?? {};
  const aim = { threshold: thresholdOfFirst(policy, test), power: POWER, margin: margin ?? 0 };
  const errors = (ratio: number) => errorsForPower({ ...aim, canaryShare: share, ratio });
  if (perSecond === null || badShare === null) return { ...unseen, detect, needed: errors(detect) };
  const all = (perSecond * holdMs) / 1_000;
  const facts = healthy(policy, { all, share, badShare });
  const asks = (by: SequentialPolicy['gate']) => gateOf({ ...policy, gate: by }, test, facts);
  const { neededErrors = 0, expectedErrors = 0 } = asks('not-proven-bad');
  const seenAfterMs =
    expectedErrors === 0 ? Infinity : Math.ceil((holdMs * neededErrors) / expectedErrors);
  const expected = (ratio: number) => all * badShare * (share * ratio + 1 - share);
  return {
    ...unseen,
    detect: badShare === 0 ? detect : Math.max(detect, (detect * (policy.limit ?? 0)) / badShare),
    needed: neededErrors === 0 ? errors(detect) : neededErrors,
    smallest: smallestOf(1 + (margin ?? 0), (ratio) => expected(ratio) >= errors(ratio)),
    seenAfterMs,
    passesAfterMs: Math.max(
      holdMs,
      gate === 'not-proven-bad' ? seenAfterMs : provenAfter(asks(gate), all * share, holdMs),
    ),
  };
}

/** As it is counted in the hold time if the canary is just as bad as the baseline. */
function healthy(
  { margin }: SequentialPolicy,
  { all, share, badShare }: { all: number; share: number; badShare: number },
): Facts {
  const countsOf = (total: number) => ({ bad: total * badShare, total });
  const expected = all * badShare * shareOfErrors(share, 1 + (margin ?? 0));
  const baseline = { ...countsOf(all * (1 - share)), expected };
  return { ageMs: 0, missing: null, since: [{ start: 0, ...countsOf(all * share), baseline }] };
}

/** Until what the gate misses is there, if it goes on like that; Infinity: never. */
function provenAfter({ unmet, neededTrials }: Gate, trials: number, holdMs: number): number {
  if (unmet === undefined) return 0;
  return neededTrials === null || neededTrials === undefined
    ? Infinity
    : Math.ceil((holdMs * neededTrials) / trials);
}

function gateAfter(
  policy: SequentialPolicy,
  test: Test,
  { perSecond, traffic }: Seen,
  seenAfterMs: number,
): number {
  const { gate } = policy;
  const { limit } = test;
  if (gate === 'none' || limit === null || perSecond === null) return 0;
  if (gate === 'not-proven-bad') return seenAfterMs;
  const rate = traffic?.badShare ?? limit / 2;
  if (rate >= limit) return Infinity;
  const { threshold } = test;
  return timeFor(trialsToCertify({ limit, rate, threshold, power: POWER }), perSecond);
}

const timeFor = (requests: number, perSecond: number): number =>
  perSecond > 0 ? Math.ceil((requests / perSecond) * 1_000) : Infinity;

const MOST_TIMES = 1_000;
const PRECISION = 1.005;

/** The smallest value above `least` that can be seen, to half a percent; null if not even a thousand times it can. */
function smallestOf(least: number, isSeen: (value: number) => boolean): number | null {
  let unseenAt = least;
  let seenAt = least * MOST_TIMES;
  if (!isSeen(seenAt)) return null;
  while (seenAt / unseenAt > PRECISION) {
    const middle = Math.sqrt(seenAt * unseenAt);
    if (isSeen(middle)) seenAt = middle;
    else unseenAt = middle;
  }
  return seenAt;
}
