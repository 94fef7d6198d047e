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

const EPSILON = 1e-16;
const MAX_STEPS = 2_000_000;
/** So few terms cost less than anything else. */
const FEW = 12;

/**
 * The lower tail, ∫ tᵃ⁻¹ (1−t)ᵇ⁻¹ dt over 0…x, divided by xᵃ yᵇ, with y = 1 − x and x below the mean: the even part of
 * the continued fraction DLMF 8.17.22 (DiDonato and Morris 1992, `bfrac`), its terms positive up to m = b, summed by
 * Steed's method. About ten steps away from the mean, O(√min(a,b)) near it. Relative error below 1e-12.
 */
function lowerTail(x: number, y: number, a: number, b: number): number {
  const lead = a * y - b * x + 1;
  let under = 1 / (a + 1);
  let d = 1 / (a * lead * under);
  let step = d;
  let sum = d;
  for (let m = 1; m <= MAX_STEPS; m += 1) {
    const odd = m * (b - m) * x * under;
    const over = odd * (a + m - 1) * (a + b + m - 1) * x * under;
    under = 1 / (a + 2 * m + 1);
    const next = m + odd + (a + m) * (lead + m * (1 + y)) * under;
    d = 1 / (next + over * d);
    step *= next * d - 1;
    sum += step;
    if (Math.abs(step) <= EPSILON * sum) return sum;
  }
  throw new AppError<StatisticsErrorCode>(
    'STATISTICS_NO_CONVERGENCE',
    `The incomplete beta function at x = ${x}, a = ${a}, b = ${b} did not settle.`,
  );
}

/** The upper tail over x…1, divided by the same, for a small whole a: by parts until nothing is left, DLMF 8.17.20. */
function upperTailOfFew(x: number, a: number, b: number): number {
  let part = 1 / (b * x);
  let sum = part;
  for (let k = 1; k < a; k += 1) {
    part *= ((a - k) * (1 - x)) / ((b + k) * x);
    sum += part;
  }
  return sum;
}

const isAboveMean = (x: number, a: number, b: number) => x > (a + 1) / (a + b + 2);

/**
 * ln ∫ tᵃ⁻¹ (1−t)ᵇ⁻¹ dt over x…1, less ln( xᵃ (1−x)ᵇ ): the upper tail as a multiple of its integrand at x.
 * Never underflows, as both logarithms can be large while their difference is what is asked for.
 */
export function logUpperTailRatio(x: number, a: number, b: number): number {
  if (a <= FEW && Number.isInteger(a)) return Math.log(upperTailOfFew(x, a, b));
  // 1 − I_x(a,b) = I_{1−x}(b,a), DLMF 8.17.4.
  if (isAboveMean(x, a, b)) return Math.log(lowerTail(1 - x, x, b, a));
  return complement(logBetaTerm(x, a, b), lowerTail(x, 1 - x, a, b));
}

/** The same for the lower tail, 0…x. */
export function logLowerTailRatio(x: number, a: number, b: number): number {
  if (!isAboveMean(x, a, b)) return Math.log(lowerTail(x, 1 - x, a, b));
  return complement(logBetaTerm(x, a, b), lowerTail(1 - x, x, b, a));
}

/** ln of what the other tail leaves of the whole, which is e^−term. */
const complement = (term: number, otherTail: number): number =>
  Math.log1p(-Math.exp(term) * otherTail) - term;
