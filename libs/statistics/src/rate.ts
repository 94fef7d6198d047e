import { demand, isCount, isInside, isWeight } from './arguments.ts';
import { logLowerTailRatio, logUpperTailRatio } from './beta.ts';

/** A Beta(alpha, beta) prior of the rate, both > 0; the tests cut it off at the limit. */
export interface Prior {
  readonly alpha: number;
  readonly beta: number;
}

/** Counts since the test began: order does not matter, so a replay gives the same evidence. */
export interface RateEvidence extends Prior {
  /** 0 … trials */
  readonly errors: number;
  readonly trials: number;
  /** The highest healthy rate, between 0 and 1, both excluded. */
  readonly limit: number;
}

/** Beta(1, 0.5/limit): most of its mass lies at one to a few times the limit, where regressions are. */
export const priorFor = (limit: number): Prior => ({ alpha: 1, beta: 0.5 / limit });

/**
 * ln of the e-value against "the error rate is at most `limit`": with n trials, S errors and F = n − S,
 * ln E = ln ∫ p^(a+S−1) (1−p)^(b+F−1) dp − ln ∫ p^(a−1) (1−p)^(b−1) dp − S ln p0 − F ln(1−p0), integrals over p0…1.
 * A mixture of likelihood ratios p against p0 with all p above p0, hence a supermartingale for every rate up to p0
 * (Robbins 1970; Howard, Ramdas et al. 2021): P(E ever ≥ 1/α) ≤ α. Error below 1e-9 relative, to 1e9 trials.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export function logEvidenceRateAbove(counts: RateEvidence): number {
  checkRate(counts);
  const { errors, trials, limit, alpha, beta } = counts;
  return (
    logUpperTailRatio(limit, alpha + errors, beta + (trials - errors)) -
    logUpperTailRatio(limit, alpha, beta)
  );
}

/**
 * The mirror, "proven good": ln of the e-value against "the error rate is at least `limit`", integrals over 0…p0.
 * P(E ever ≥ 1/α) ≤ α for every rate from p0 on. Error and thrown codes as above.
 */
export function logEvidenceRateBelow(counts: RateEvidence): number {
  checkRate(counts);
  const { errors, trials, limit, alpha, beta } = counts;
  return (
    logLowerTailRatio(limit, alpha + errors, beta + (trials - errors)) -
    logLowerTailRatio(limit, alpha, beta)
  );
}

function checkRate(counts: RateEvidence): void {
  const { errors, trials, limit, alpha, beta } = counts;
  const counted = isCount(errors) && errors <= trials && isCount(trials);
  demand(counted && isInside(limit) && isWeight(alpha) && isWeight(beta), counts);
}
