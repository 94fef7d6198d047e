import { demand, isCount } from './arguments.ts';
import { LogSum } from './log-sum.ts';
import { logEvidenceRateAbove } from './rate.ts';

export interface TwoSampleEvidence {
  readonly canaryErrors: number;
  readonly baselineErrors: number;
  /** The canary's part of the requests, between 0 and 1, both excluded, the same for all counts. */
  readonly canaryShare: number;
  /** Weight of the prior, in errors; > 0. */
  readonly concentration: number;
}

/** Counts since the test began, where the canary's share changes: three sums, so order does not matter. */
export interface VaryingEvidence {
  readonly canaryErrors: number;
  /** Of both arms. */
  readonly errors: number;
  /** Σ mᵢρᵢ: how many of them the canary may have, with mᵢ the errors of both and ρᵢ the share allowed in interval i. */
  readonly expected: number;
}

/**
 * ln of the e-value against "the canary's error rate is at most the baseline's". Given that an error happened, it is
 * the canary's with probability at most `canaryShare`, whatever the common rate is, so a shared outage cancels
 * (Lindon and Malek 2022). Prior Beta(kρ, k(1−ρ)) with ρ the share and k the concentration.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export function logEvidenceWorse(counts: TwoSampleEvidence): number {
  const { canaryErrors, baselineErrors, canaryShare, concentration } = counts;
  demand(isCount(canaryErrors) && isCount(baselineErrors), counts);
  return logEvidenceRateAbove({
    errors: canaryErrors,
    trials: canaryErrors + baselineErrors,
    limit: canaryShare,
    alpha: concentration * canaryShare,
    beta: concentration * (1 - canaryShare),
  });
}

/**
 * The canary's share of the errors when its rate is `ratio` times the baseline's: ratio ρ / (ratio ρ + 1 − ρ), with ρ
 * its share of the requests, 0 … 1. With ratio 1 + m this is what a guard with margin m allows.
 */
export function shareOfErrors(canaryShare: number, ratio: number): number {
  demand(canaryShare >= 0 && canaryShare <= 1 && ratio > 0, { canaryShare, ratio });
  return (ratio * canaryShare) / (ratio * canaryShare + 1 - canaryShare);
}

/** Logarithms d of the rate ratios that are mixed: 0.05 (+5 %) to 4.3 (×77) in steps of a quarter. */
const RATIOS = Array.from({ length: 21 }, (_, k) => 0.05 * 1.25 ** k);
/** Most for ×1.5 to ×5, where regressions are; half as much at half the logarithm, or twice. */
const WEIGHTS = RATIOS.map((d) => Math.min(1, d / 0.4, 1.6 / d));
const TOTAL = WEIGHTS.reduce((sum, weight) => sum + weight, 0);
const grid = (sign: 1 | -1) =>
  RATIOS.map((ratio, k) => {
    const d = sign * ratio;
    return { d, growth: Math.expm1(d), logWeight: Math.log((WEIGHTS[k] ?? 0) / TOTAL) };
  });
const WORSE = grid(1);
const BETTER = grid(-1);

/**
 * ln of the e-value against "the canary is at most as bad as it may be", with a share that changes over time:
 * ln E = ln Σₖ πₖ exp( dₖ x − M ln(1 + ρ̄(e^dₖ − 1)) ), x of M errors the canary's, ρ̄ = expected / M, d the logarithm of
 * the rate ratio on a fixed grid. With the shares of every interval the last term would be
 * Σ mᵢ ln(1 + ρᵢ(e^d − 1)); the logarithm is concave, so by Jensen's inequality ρ̄ only lowers E, and the bound
 * P(E ever ≥ 1/α) ≤ α stays. Absolute error about 1e-15 · errors.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export const logEvidenceWorseVarying = (counts: VaryingEvidence): number => mixed(counts, WORSE);

/** The mirror, "proven good": against "the canary is at least as bad as it may be", with d < 0. */
export const logEvidenceBetterVarying = (counts: VaryingEvidence): number => mixed(counts, BETTER);

function mixed(counts: VaryingEvidence, ratios: typeof WORSE): number {
  const { canaryErrors, errors, expected } = counts;
  const inRange = isCount(canaryErrors) && canaryErrors <= errors && isCount(errors);
  demand(inRange && isCount(expected) && expected <= errors * (1 + 1e-9), counts);
  if (errors === 0) return 0;
  const share = Math.min(1, expected / errors);
  const sum = new LogSum();
  for (const { d, growth, logWeight } of ratios) {
    const term = logWeight + d * canaryErrors - errors * Math.log1p(share * growth);
    // Concave in d, so all that follows is smaller still.
    if (sum.hides(term)) break;
    sum.add(term);
  }
  return sum.log;
}
