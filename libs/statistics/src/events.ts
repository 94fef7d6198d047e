import { demand, isCount, isWeight } from './arguments.ts';
import { logLowerGammaRatio, logUpperGammaRatio } from './gamma.ts';

/** A Gamma(shape, rate) prior of the rate as a multiple of the limit; the tests cut it off at 1. */
export interface EventsPrior {
  readonly shape: number;
  readonly rate: number;
}

/** Counts since the test began: order does not matter. */
export interface EventsEvidence {
  readonly events: number;
  /** The time in which they were counted, ms. */
  readonly exposureMs: number;
  /** The highest healthy number of events in `perMs`; > 0. */
  readonly limit: number;
  /** ms; > 0. */
  readonly perMs: number;
  /** Gamma(1, 0.5) unless given, which is what `priorFor` comes to for a small limit. */
  readonly prior?: EventsPrior;
}

const PRIOR: EventsPrior = { shape: 1, rate: 0.5 };

/**
 * ln of the e-value against "events come at most `limit` times in `perMs`": with x events where μ would be the limit's
 * mean, ln E = ln ∫ θ^(a+x−1) e^(−(b+μ)θ) dθ − ln ∫ θ^(a−1) e^(−bθ) dθ + μ, integrals over 1…∞: a mixture of Poisson
 * likelihood ratios θ against 1 (Lindon and Malek 2022; Howard, Ramdas et al. 2021, gamma-Poisson).
 * P(E ever ≥ 1/α) ≤ α for every rate up to the limit, also one that changes. Error below 1e-9 relative.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export function logEvidenceEventsAbove(counts: EventsEvidence): number {
  const { shape, rate } = checkedPrior(counts);
  const mean = expectedAtLimit(counts);
  return logUpperGammaRatio(rate + mean, shape + counts.events) - logUpperGammaRatio(rate, shape);
}

/** The mirror, "proven good": against "events come at least `limit` times in `perMs`", integrals over 0…1. */
export function logEvidenceEventsBelow(counts: EventsEvidence): number {
  const { shape, rate } = checkedPrior(counts);
  const mean = expectedAtLimit(counts);
  return logLowerGammaRatio(rate + mean, shape + counts.events) - logLowerGammaRatio(rate, shape);
}

const expectedAtLimit = ({ exposureMs, limit, perMs }: EventsEvidence): number =>
  (limit * exposureMs) / perMs;

function checkedPrior(counts: EventsEvidence): EventsPrior {
  const { events, exposureMs, limit, perMs, prior = PRIOR } = counts;
  const counted = isCount(events) && isCount(exposureMs) && isWeight(limit) && isWeight(perMs);
  demand(counted && isWeight(prior.shape) && isWeight(prior.rate), counts);
  return prior;
}
