import { logBetaTerm, logLowerTailRatio } from './beta.ts';
import { logGammaTerm, logLowerGammaRatio } from './gamma.ts';

/** P(at least `successes` of `trials`), each with probability `rate`: I_p(s, n − s + 1), also between whole trials. */
export function binomialAtLeast(successes: number, trials: number, rate: number): number {
  if (successes <= 0) return 1;
  if (successes > trials || rate <= 0) return 0;
  if (rate >= 1) return 1;
  const others = trials - successes + 1;
  const ratio = logLowerTailRatio(rate, successes, others);
  return Math.exp(logBetaTerm(rate, successes, others) + ratio);
}

/** P(at least `events`) when `mean` are expected: P(s, μ), the lower incomplete gamma function. */
export function poissonAtLeast(events: number, mean: number): number {
  if (events <= 0) return 1;
  if (mean <= 0) return 0;
  return Math.exp(logGammaTerm(mean, events) + logLowerGammaRatio(mean, events));
}
