import { demand, isCount, isWeight } from './arguments.ts';
import { logDirichletTerm } from './beta.ts';

export interface SplitEvidence {
  /** How many went into each arm. */
  readonly counts: readonly number[];
  /** How they should be split, each > 0; they are taken relative to their sum. */
  readonly shares: readonly number[];
  /** Weight of the prior, in counts; > 0, 100 unless given. */
  readonly concentration?: number;
}

/**
 * ln of the e-value against "the counts are split as intended", two-sided, any number of arms:
 * ln E = ln B(kρ + x) − ln B(kρ) − Σ xᵢ ln ρᵢ, B the multivariate beta function (Lindon and Malek 2022). Also for rates of
 * Poisson events whose ratio should be ρ. P(E ever ≥ 1/α) ≤ α. Error below 1e-9 relative.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export function logEvidenceSplit(evidence: SplitEvidence): number {
  const { counts, shares, concentration = 100 } = evidence;
  const sum = shares.reduce((total, share) => total + share, 0);
  const inRange = counts.length === shares.length && counts.length > 0 && counts.every(isCount);
  demand(inRange && shares.every(isWeight) && isWeight(concentration), evidence);
  const intended = shares.map((share) => share / sum);
  const prior = intended.map((share) => concentration * share);
  const posterior = prior.map((weight, i) => weight + (counts[i] ?? 0));
  return logDirichletTerm(intended, prior) - logDirichletTerm(intended, posterior);
}
