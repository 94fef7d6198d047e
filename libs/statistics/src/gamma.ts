import { AppError } from '@tidegate/kernel';
import type { StatisticsErrorCode } from './errors.ts';
import { deviance, stirlingError } from './stirling.ts';

const EPSILON = 1e-16;
const TINY = 1e-300;
const MAX_STEPS = 2_000_000;

/** ln( zᵃ e⁻ᶻ / Γ(a) ), for a, z > 0, written as a deviance (Loader 2000): relative error about 1e-14. */
export const logGammaTerm = (z: number, a: number): number =>
  0.5 * Math.log(a / (2 * Math.PI)) - deviance(a, z, a - z) - stirlingError(a);

/**
 * The upper tail, ∫ tᵃ⁻¹ e⁻ᵗ dt over z…∞, divided by zᵃ e⁻ᶻ, for z above the mean: by parts again and again (DLMF
 * 8.8.9), positive terms that fall from the first on, until a ≤ 1 is left.
 */
function upperTail(z: number, a: number): number {
  let part = 1;
  let sum = 0;
  let k = 0;
  for (; a - k > 1; k += 1) {
    sum += part;
    if (part < EPSILON * sum) return sum / z;
    part *= (a - k - 1) / z;
  }
  return (sum + part * (a - k === 1 ? 1 : z * fraction(z, a - k))) / z;
}

/** Γ(a,z) / (zᵃ e⁻ᶻ) as a continued fraction, DLMF 8.9.2, by the modified Lentz method; for z > a. */
function fraction(z: number, a: number): number {
  let b = z + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let f = d;
  for (let n = 1; n <= MAX_STEPS; n += 1) {
    const over = -n * (n - a);
    b += 2;
    d = 1 / (over * d + b);
    c = b + over / c;
    f *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) return f;
  }
  throw notSettled(z, a);
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
  if (z > a + 1) return Math.log(upperTail(z, a));
  const term = logGammaTerm(z, a);
  return Math.log1p(-Math.exp(term + Math.log(lowerTail(z, a)))) - term;
}

/** The same for the lower tail, 0…z. */
export function logLowerGammaRatio(z: number, a: number): number {
  if (z <= a + 1) return Math.log(lowerTail(z, a));
  const term = logGammaTerm(z, a);
  return Math.log1p(-Math.exp(term + Math.log(upperTail(z, a)))) - term;
}
