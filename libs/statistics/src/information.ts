import { demand, isCount, isInside } from './arguments.ts';
import { binomialAtLeast } from './probability.ts';
import { remembered } from './remember.ts';
import { rootOf } from './search.ts';

const part = (p: number, q: number) => (p === 0 ? 0 : p * Math.log(p / q));

/**
 * Kullback and Leibler's divergence of a rate p from a rate q, in nats a trial: p ln(p/q) + (1−p) ln((1−p)/(1−q)), p from
 * 0 to 1, q between them. Thrown STATISTICS_ARGUMENT when they are not.
 */
export function kl(p: number, q: number): number {
  demand(p >= 0 && p <= 1 && isInside(q), { p, q });
  return Math.max(0, part(p, q) + part(1 - p, 1 - q));
}

/**
 * How many trials any test needs on average to tell `rate` from `limit` when it may be wrong with probability `risk`:
 * ln(1/risk) / KL(rate ‖ limit) (Wald 1945). What a real test needs is measured against it.
 */
export function informationLimit(given: {
  readonly limit: number;
  readonly rate: number;
  readonly risk: number;
}): number {
  demand(isInside(given.risk), given);
  return -Math.log(given.risk) / kl(given.rate, given.limit);
}

/**
 * The upper end of Clopper and Pearson's one-sided confidence interval: the rate at which so few errors have probability
 * 1 − confidence. It covers the true rate with at least the confidence; 1 without trials.
 * Thrown STATISTICS_ARGUMENT when an argument is outside its range.
 */
export const upperRate = remembered(
  (given: { readonly errors: number; readonly trials: number; readonly confidence: number }) => {
    const { errors, trials, confidence } = given;
    const counted = isCount(errors) && errors <= trials && isCount(trials);
    demand(counted && isInside(confidence), given);
    if (errors === trials) return 1;
    const more = (rate: number) => binomialAtLeast(errors + 1, trials, rate) - confidence;
    return rootOf(more, errors / trials, 1);
  },
);
