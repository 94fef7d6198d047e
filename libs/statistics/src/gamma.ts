import { AppError } from '@tidegate/kernel';
import type { StatisticsErrorCode } from './errors.ts';
import { deviance, stirlingError } from './stirling.ts';

const EPSILON = 1e-16;
const MAX_STEPS = 2_000_000;
/** So few terms cost less than anything else. */
const FEW = 12;

/** ln( zᵃ e⁻ᶻ / Γ(a) ), for a, z > 0, written as a deviance (Loader 2000): relative error about 1e-14. */
export const logGammaTerm = (z: number, a: number): number =>
  0.5 * Math.log(a / (2 * Math.PI)) - deviance(a, z, a - z) - stirlingError(a);

/**
 * The upper tail, ∫ tᵃ⁻¹ e⁻ᵗ dt over z…∞, divided by zᵃ e⁻ᶻ, for z above the mean: Legendre's continued fraction, DLMF
 * 8.9.2, its terms positive up to n = a, summed by Steed's method. Relative error below 1e-12.
 */
function upperTail(z: number, a: number): number {
  let next = z + 1 - a;
  let d = 1 / next;
  let step = d;
  let sum = d;
  for (let n = 1; n <= MAX_STEPS; n += 1) {
    next += 2;
    d = 1 / (next + n * (a - n) * d);
    step *= next * d - 1;
    sum += step;
    if (Math.abs(step) <= EPSILON * sum) return sum;
  }
  throw notSettled(z, a);
}

/** The same for a small whole a: by parts until nothing is left, DLMF 8.8.9. */
function upperTailOfFew(z: number, a: number): number {
  let part = 1 / z;
  let sum = part;
  for (let k = 1; k < a; k += 1) {
    part *= (a - k) / z;
    sum += part;
  }
  return sum;
}

/** The lower tail, over 0…z, divided by the same, for z below the mean: the positive series of DLMF 8.7.1. */
function lowerTail(z: number, a: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n <= MAX_STEPS; n += 1) {
    term *= z / (a + n);
    sum += term;
    if (term < EPSILON * sum) return sum;
  }
  throw notSettled(z, a);
}

const notSettled = (z: number, a: number) =>
  new AppError<StatisticsErrorCode>(
    'STATISTICS_NO_CONVERGENCE',
    `The incomplete gamma function at z = ${z}, a = ${a} did not settle.`,
  );

/** ln ∫ tᵃ⁻¹ e⁻ᵗ dt over z…∞, less ln( zᵃ e⁻ᶻ ): never underflows. */
export function logUpperGammaRatio(z: number, a: number): number {
  if (a <= FEW && Number.isInteger(a)) return Math.log(upperTailOfFew(z, a));
  if (z > a + 1) return Math.log(upperTail(z, a));
  return complement(logGammaTerm(z, a), lowerTail(z, a));
}

/** The same for the lower tail, 0…z. */
export function logLowerGammaRatio(z: number, a: number): number {
  if (z <= a + 1) return Math.log(lowerTail(z, a));
  return complement(logGammaTerm(z, a), upperTail(z, a));
}

/** ln of what the other tail leaves of the whole, which is e^−term. */
const complement = (term: number, otherTail: number): number =>
  Math.log1p(-Math.exp(term) * otherTail) - term;
