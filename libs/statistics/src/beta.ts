import { AppError } from '@tidegate/kernel';
import type { StatisticsErrorCode } from './errors.ts';
import { deviance, stirlingError } from './stirling.ts';

/**
 * ln( xᵃ (1−x)ᵇ / B(a,b) ), for 0 < x < 1 and a, b > 0. Written as a deviance and Stirling errors (Loader 2000;
 * DiDonato and Morris 1992, `brcomp`), so that the large logarithms cancel before they are rounded: relative
 * error about 1e-14 of the result, also at a + b = 1e9.
 */
export function logBetaTerm(x: number, a: number, b: number): number {
  const n = a + b;
  const d = a - n * x;
  const spread = deviance(a, n * x, d) + deviance(b, n - n * x, -d);
  const scale = 0.5 * (Math.log(a) + Math.log(b / n) - Math.log(2 * Math.PI));
  return scale - spread - stirlingError(a) - stirlingError(b) + stirlingError(n);
}

/** ln( Π xᵢ^aᵢ / B(a) ) with B the multivariate beta function: the same for any number of shares, which add up to 1. */
export function logDirichletTerm(shares: readonly number[], weights: readonly number[]): number {
  const n = weights.reduce((sum, weight) => sum + weight, 0);
  return shares.reduce(
    (sum, share, i) => {
      const a = weights[i] ?? 0;
      const spread = deviance(a, n * share, a - n * share);
      return sum - spread + 0.5 * Math.log(a / (2 * Math.PI)) - stirlingError(a);
    },
    stirlingError(n) - 0.5 * Math.log(n / (2 * Math.PI)),
  );
}

const TINY = 1e-300;
const EPSILON = 1e-16;
const MAX_STEPS = 2_000_000;

/**
 * The continued fraction f of I_x(a,b) = xᵃ (1−x)ᵇ f / (a B(a,b)), DLMF 8.17.22, by the modified Lentz method.
 * For x ≤ (a+1)/(a+b+2), where it settles in O(√max(a,b)) steps.
 */
function fraction(x: number, a: number, b: number): number {
  const away = (value: number) => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let f = d;
  for (let m = 1; m <= MAX_STEPS; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    f *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    f *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) return f;
  }
  throw notSettled(x, a, b);
}

const notSettled = (x: number, a: number, b: number) =>
  new AppError<StatisticsErrorCode>(
    'STATISTICS_NO_CONVERGENCE',
    `The incomplete beta function at x = ${x}, a = ${a}, b = ${b} did not settle.`,
  );

/**
 * The upper tail, ∫ tᵃ⁻¹ (1−t)ᵇ⁻¹ dt over x…1, divided by xᵃ (1−x)ᵇ, for x above the mean. By parts again and again
 * (DLMF 8.17.20): positive terms that fall from the first on, one division each, until a ≤ 1 is left. A whole `a`,
 * as counts with α = 1 have, needs nothing else.
 */
function upperTail(x: number, a: number, b: number): number {
  const odds = (1 - x) / x;
  let part = 1;
  let sum = 0;
  let k = 0;
  for (; a - k > 1; k += 1) {
    const term = part / (b + k);
    sum += term;
    if (term < EPSILON * sum) return sum / x;
    part = term * (a - k - 1) * odds;
  }
  const rest = a - k === 1 ? 1 : x * fraction(1 - x, b + k, a - k);
  return (sum + (part * rest) / (b + k)) / x;
}

/** The lower tail, over 0…x, divided by the same, for x below the mean: the positive series of DLMF 8.17.7 for x ≤ ½. */
function lowerTail(x: number, a: number, b: number): number {
  if (x > 0.5) return upperTail(1 - x, b, a);
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n <= MAX_STEPS; n += 1) {
    term *= ((a + b + n - 1) * x) / (a + n);
    sum += term;
    if (term < EPSILON * sum) return sum;
  }
  throw notSettled(x, a, b);
}

const isAboveMean = (x: number, a: number, b: number) => x > (a + 1) / (a + b + 2);

/**
 * ln ∫ tᵃ⁻¹ (1−t)ᵇ⁻¹ dt over x…1, less ln( xᵃ (1−x)ᵇ ): the upper tail as a multiple of its integrand at x.
 * Never underflows, as both logarithms can be large while their difference is what is asked for.
 */
export function logUpperTailRatio(x: number, a: number, b: number): number {
  if (isAboveMean(x, a, b)) return Math.log(upperTail(x, a, b));
  const term = logBetaTerm(x, a, b);
  return Math.log1p(-Math.exp(term + Math.log(lowerTail(x, a, b)))) - term;
}

/** The same for the lower tail, 0…x. */
export function logLowerTailRatio(x: number, a: number, b: number): number {
  if (!isAboveMean(x, a, b)) return Math.log(lowerTail(x, a, b));
  const term = logBetaTerm(x, a, b);
  return Math.log1p(-Math.exp(term + Math.log(upperTail(x, a, b)))) - term;
}
