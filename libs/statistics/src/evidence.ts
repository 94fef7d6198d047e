import { AppError } from '@tidegate/kernel';
import { logUpperTailRatio } from './beta.ts';
import type { StatisticsErrorCode } from './errors.ts';

/** A Beta(alpha, beta) prior of the rate, both > 0; the tests cut it off below the limit. */
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

export interface TwoSampleEvidence {
  readonly canaryErrors: number;
  readonly baselineErrors: number;
  /** The canary's part of the requests, between 0 and 1, both excluded, the same for all counts. */
  readonly canaryShare: number;
  /** Weight of the prior, in errors; > 0. */
  readonly concentration: number;
}

/** Beta(1, 0.2/limit): most of its mass lies at one to a few times the limit, where regressions are. */
export const priorFor = (limit: number): Prior => ({ alpha: 1, beta: 0.2 / limit });

/**
 * ln of the e-value against "the error rate is at most `limit`": with n trials, S errors and F = n − S,
 * ln E = ln ∫ p^(a+S−1) (1−p)^(b+F−1) dp − ln ∫ p^(a−1) (1−p)^(b−1) dp − S ln p0 − F ln(1−p0), integrals over p0…1.
 * A mixture of likelihood ratios p against p0 with all p above p0, hence a supermartingale for every rate up to p0
 * (Robbins 1970; Howard, Ramdas et al. 2021): P(E ever ≥ 1/α) ≤ α. Error below 1e-9 relative, to 1e9 trials.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export function logEvidenceRateAbove(counts: RateEvidence): number {
  const { errors, trials, limit, alpha, beta } = counts;
  const inRange =
    errors >= 0 &&
    errors <= trials &&
    Number.isFinite(trials) &&
    limit > 0 &&
    limit < 1 &&
    isWeight(alpha) &&
    isWeight(beta);
  if (!inRange) throw outOfRange({ ...counts });
  return (
    logUpperTailRatio(limit, alpha + errors, beta + (trials - errors)) -
    logUpperTailRatio(limit, alpha, beta)
  );
}

/**
 * ln of the e-value against "the canary's error rate is at most the baseline's". Given that an error happened, it is
 * the canary's with probability at most `canaryShare`, whatever the common rate is, so a shared outage cancels
 * (Lindon and Malek 2022). Prior Beta(kρ, k(1−ρ)) with ρ the share and k the concentration.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export function logEvidenceWorse(counts: TwoSampleEvidence): number {
  const { canaryErrors, baselineErrors, canaryShare, concentration } = counts;
  if (!(baselineErrors >= 0)) throw outOfRange({ ...counts });
  return logEvidenceRateAbove({
    errors: canaryErrors,
    trials: canaryErrors + baselineErrors,
    limit: canaryShare,
    alpha: concentration * canaryShare,
    beta: concentration * (1 - canaryShare),
  });
}

const isWeight = (value: number): boolean => value > 0 && Number.isFinite(value);

const outOfRange = (counts: Record<string, unknown>): AppError<StatisticsErrorCode> =>
  new AppError(
    'STATISTICS_ARGUMENT',
    `No evidence can be computed from ${JSON.stringify(counts)}.`,
    {
      data: counts,
    },
  );
