import { demand, isCount, isInside, isWeight } from './arguments.ts';
import { logEvidenceWorseVarying, shareOfErrors } from './compare.ts';
import { logEvidenceEventsAbove } from './events.ts';
import { binomialAtLeast, poissonAtLeast } from './probability.ts';
import { logEvidenceRateAbove, logEvidenceRateBelow, type Prior, priorFor } from './rate.ts';
import { remembered } from './remember.ts';
import { firstThat, firstTooth, rootOf } from './search.ts';

/** How much evidence is asked for, and how surely it should be there. */
export interface Aim {
  /** ln E from which on the test has decided; > 0. */
  readonly threshold: number;
  /** Probability of having decided, between 0 and 1, both excluded. */
  readonly power: number;
}
export interface RateAim extends Aim {
  readonly limit: number;
  /** `priorFor(limit)` unless given. */
  readonly prior?: Prior;
}

/**
 * How many trials it takes until a rate of `regression` (above the limit, at most 1) is proven to be above the limit with
 * the power: the smallest n with P(logEvidenceRateAbove ≥ threshold after n) ≥ power, exact binomial tails. A test that
 * is looked at all the time has a little more power. Infinity where more than 2^24 errors are needed.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export const trialsForPower = remembered((given: RateAim & { readonly regression: number }) => {
  const { limit, regression, threshold, power, prior = priorFor(limit) } = given;
  demand(isInside(limit) && regression > limit && regression <= 1 && isAim(given), given);
  return smallestSample(regression, power, (errors, trials) => {
    return logEvidenceRateAbove({ errors, trials, limit, ...prior }) >= threshold;
  });
});

/**
 * The probability that a rate of `regression` (above the limit, at most 1) is proven to be above the limit by `trials`.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export function powerToSee(given: {
  readonly limit: number;
  readonly trials: number;
  readonly regression: number;
  readonly threshold: number;
  readonly prior?: Prior;
}): number {
  const { limit, trials, regression, threshold, prior = priorFor(limit) } = given;
  const inRange = isInside(limit) && regression > limit && regression <= 1;
  demand(inRange && isCount(trials) && isWeight(threshold), given);
  return binomialAtLeast(errorsThatProve(limit, trials, threshold, prior), trials, regression);
}

/** The fewest errors in `trials` that prove the rate above the limit; Infinity if none do. */
function errorsThatProve(limit: number, trials: number, threshold: number, prior: Prior): number {
  const proves = (errors: number) =>
    logEvidenceRateAbove({ errors, trials, limit, ...prior }) >= threshold;
  return proves(trials) ? firstThat((errors) => errors >= trials || proves(errors), 1) : Infinity;
}

/**
 * How many errors of both arms it takes until a canary that is `ratio` times as bad as the baseline is proven to be worse
 * than 1 + margin times as bad; Infinity where none are enough, as less than about 3 % beyond the margin is never proven.
 * The canary's share of the requests is taken to three digits, and as 99.9 % at most.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export const errorsForPower = (
  given: Aim & { readonly canaryShare: number; readonly ratio: number; readonly margin: number },
): number => {
  const { canaryShare } = given;
  if (!isInside(canaryShare)) return errorsNeeded(given);
  return errorsNeeded({
    ...given,
    canaryShare: Math.min(0.999, Number(canaryShare.toPrecision(3))),
  });
};

const errorsNeeded = remembered((given: Parameters<typeof errorsForPower>[0]) => {
  const { canaryShare, ratio, margin, threshold, power } = given;
  demand(isInside(canaryShare) && margin > -1 && ratio > 1 + margin && isAim(given), given);
  const allowed = shareOfErrors(canaryShare, 1 + margin);
  return smallestSample(shareOfErrors(canaryShare, ratio), power, (canaryErrors, errors) => {
    const expected = errors * allowed;
    return logEvidenceWorseVarying({ canaryErrors, errors, expected }) >= threshold;
  });
});

/**
 * How long it takes, in whole ms, until events that come `regression` times in `perMs` (above the limit) are proven to
 * come more often than the limit allows; Infinity where more than 2^24 events are needed.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export const exposureForPower = remembered(
  (
    given: Aim & { readonly limit: number; readonly perMs: number; readonly regression: number },
  ) => {
    const { limit, perMs, regression, threshold, power } = given;
    demand(isWeight(limit) && isWeight(perMs) && regression > limit && isAim(given), given);
    const exposureFor = (events: number) => {
      const most = firstThat((n) => poissonAtLeast(events, events * n) >= power, 1) * events;
      const mean = rootOf((m) => poissonAtLeast(events, m) - power, 0, most);
      return (mean * perMs) / regression;
    };
    const proves = (n: number) => {
      const counts = { events: n, exposureMs: exposureFor(n), limit, perMs };
      return logEvidenceEventsAbove(counts) >= threshold;
    };
    const events = firstThat(proves, 1, MOST_ERRORS);
    return events === Infinity ? Infinity : Math.ceil(exposureFor(events));
  },
);

/**
 * How many trials it takes until a true `rate` (below the limit, may be 0) is proven to be below the limit with the power;
 * Infinity where that takes more than 2^24 errors.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export const trialsToCertify = remembered((given: RateAim & { readonly rate: number }) => {
  const { limit, rate, threshold, power, prior = priorFor(limit) } = given;
  demand(isInside(limit) && rate >= 0 && rate < limit && isAim(given), given);
  const trialsWith = (errors: number) =>
    firstThat(
      (trials) => {
        return logEvidenceRateBelow({ errors, trials, limit, ...prior }) >= threshold;
      },
      Math.max(1, errors),
    );
  const allows = (most: number) => {
    const trials = trialsWith(most);
    return trials < Infinity && 1 - binomialAtLeast(most + 1, trials, rate) >= power;
  };
  const errors = firstTooth(allows, 0, MOST_ERRORS);
  return errors === Infinity ? Infinity : trialsWith(errors);
});

/**
 * The lowest rate that is proven to be above the limit after `trials` with the power; null where even a rate of 1 is not.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export const smallestDetectable = remembered(
  (given: RateAim & { readonly trials: number }): number | null => {
    const { limit, trials, threshold, power, prior = priorFor(limit) } = given;
    demand(isInside(limit) && isCount(trials) && isAim(given), given);
    const errors = errorsThatProve(limit, trials, threshold, prior);
    if (errors === Infinity) return null;
    return rootOf((rate) => binomialAtLeast(errors, trials, rate) - power, limit, 1);
  },
);

const isAim = ({ threshold, power }: Aim): boolean => isWeight(threshold) && isInside(power);

/** Nobody waits for more, and the search for more takes longer than a check may. */
const MOST_ERRORS = 2 ** 24;

/**
 * The smallest sample that with probability `power` has as many successes, each of probability `rate`, as are enough.
 * `isEnough` grows with the successes and falls with the sample's size.
 */
function smallestSample(
  rate: number,
  power: number,
  isEnough: (successes: number, size: number) => boolean,
): number {
  const sizeWith = (successes: number) => sampleWith(successes, rate, power);
  const successes = firstTooth((n) => isEnough(n, sizeWith(n)), 1, MOST_ERRORS);
  return successes === Infinity ? Infinity : sizeWith(successes);
}

/** The smallest sample that has at least so many successes with probability `power`. */
function sampleWith(successes: number, rate: number, power: number): number {
  const short = (size: number) => binomialAtLeast(successes, size, rate) - power;
  const times = firstThat((n) => short((n * successes) / rate) >= 0, 1);
  const size = Math.ceil(rootOf(short, successes, (times * successes) / rate));
  return short(size - 1) >= 0 ? size - 1 : size;
}
