import { isAppError } from '@tidegate/kernel';
import {
  errorsForPower,
  exposureForPower,
  startWeights,
  type StatisticsErrorCode,
  trialsForPower,
} from '@tidegate/statistics';
import type { Facts } from './facts.ts';
import type { SequentialPolicy } from './policy.ts';
import type { Reason } from './reasons.ts';
import { logEvidenceGood, type Test, whole } from './sequential-test.ts';
import { untilProven } from './until-proven.ts';

/** What the gate asks for: `met`, or what is still needed. In all, not beyond what there is. */
export interface Gate {
  readonly unmet?: Reason;
  /** Requests of the canary, or ms of a rate; null where no number of them can be told. */
  readonly neededTrials?: number | null;
  /** Errors of canary and baseline together, and how many a canary as bad as `detect` would have brought by now. */
  readonly neededErrors?: number;
  readonly expectedErrors?: number;
  /** ln E that it is good, where that must be proven. */
  readonly logGood?: number;
}

/** A stage is left when the regression that the plan names would have been seen with this probability. */
const POWER = 0.8;

/**
 * Whether there is enough to leave the stage, by the guard's gate. Where that cannot be computed there is not: the other
 * guards are judged all the same.
 */
export function gateOf(policy: SequentialPolicy, test: Test, facts: Facts): Gate {
  try {
    return askedOf(policy, test, facts);
  } catch (error) {
    if (!isAppError(error, UNSETTLED)) throw error;
    return { unmet: unmetOf(policy, test), neededTrials: null };
  }
}
const UNSETTLED: StatisticsErrorCode = 'STATISTICS_NO_CONVERGENCE';

function unmetOf({ gate, kind }: SequentialPolicy, { compares }: Test): Reason {
  if (gate === 'proven-good') return 'not-proven-good';
  if (compares) return 'too-few-errors';
  return kind === 'rate' ? 'too-little-time' : 'too-few-requests';
}

function askedOf(policy: SequentialPolicy, test: Test, facts: Facts): Gate {
  switch (policy.gate) {
    case 'none':
      return {};
    case 'proven-good':
      return provenGood(policy, test, facts);
    case 'not-proven-bad':
      return test.compares
        ? enoughErrors(policy, test, facts)
        : enoughRequests(policy, test, facts);
  }
}

/** The test that begins with the stage has a part of the weight: the others only help. */
export const thresholdOfFirst = ({ horizon }: SequentialPolicy, { threshold }: Test): number =>
  threshold - Math.log(startWeights(horizon).of(0));

function enoughRequests(policy: SequentialPolicy, test: Test, facts: Facts): Gate {
  const { kind, perMs = 1_000 } = policy;
  const { limit, regression } = test;
  if (limit === null || regression === null) return {};
  const { total } = whole(facts);
  const asked = { limit, regression, threshold: thresholdOfFirst(policy, test), power: POWER };
  const neededTrials =
    kind === 'rate' ? exposureForPower({ ...asked, perMs }) : trialsForPower(asked);
  if (total >= neededTrials) return { neededTrials };
  const unmet = unmetOf(policy, test);
  return { unmet, neededTrials: Number.isFinite(neededTrials) ? neededTrials : null };
}

/** As many times as bad as this is as good as infinitely. */
const MOST = 1_000;

/**
 * Two arms are told apart by their errors. The regression is a canary `detect` times as bad as the baseline; where there
 * is a limit, as bad as the baseline would be at it: then a service that hardly ever fails can leave its stage too.
 */
function enoughErrors(policy: SequentialPolicy, test: Test, facts: Facts): Gate {
  const { detect, margin, limit } = policy;
  const { total, baseline = { bad: 0, total: 0 } } = whole(facts);
  if (total === 0 || baseline.total === 0) return {};
  const theirs = baseline.bad / baseline.total;
  const rate = Math.min(1, detect * Math.max(theirs, limit ?? 0));
  const expectedErrors = baseline.bad + total * rate;
  const ratio = rate === 0 ? detect : Math.min(MOST, rate / theirs);
  const neededErrors = errorsForPower({
    canaryShare: Math.min(0.99, twoDigits(total / (total + baseline.total), Math.ceil)),
    ratio: Math.max(detect, twoDigits(ratio, Math.floor)),
    threshold: thresholdOfFirst(policy, test),
    power: POWER,
    margin: margin ?? 0,
  });
  if (expectedErrors >= neededErrors) return { neededErrors, expectedErrors };
  const isKnown = expectedErrors > 0 && Number.isFinite(neededErrors);
  const neededTrials = isKnown ? Math.ceil((total * neededErrors) / expectedErrors) : null;
  return { unmet: unmetOf(policy, test), neededErrors, expectedErrors, neededTrials };
}

/** Rounded to where the search was done before, and never so that less is needed. */
function twoDigits(value: number, round: (value: number) => number): number {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return round(Number((value / unit).toPrecision(12))) * unit;
}

/** Good must be as certain as bad: E of the mirror at 1/risk. That concerns who is promoted, not who is rolled back. */
function provenGood(policy: SequentialPolicy, test: Test, facts: Facts): Gate {
  const counts = whole(facts);
  const logGood = logEvidenceGood(policy, test, counts);
  if (logGood === null) return {};
  if (logGood >= test.threshold) return { logGood };
  const neededTrials = timesUntil(policy, test, facts);
  return { unmet: unmetOf(policy, test), logGood, neededTrials };
}

/** How many requests it takes if they go on as they did; null if it is never proven like that. */
const timesUntil = (policy: SequentialPolicy, test: Test, facts: Facts): number | null =>
  untilProven(
    whole(facts),
    (counts) => (logEvidenceGood(policy, test, counts) ?? 0) >= test.threshold,
  );
