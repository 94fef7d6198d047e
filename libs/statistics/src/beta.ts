import { AppError } from '@tidegate/kernel';
import type { StatisticsErrorCode } from './errors.ts';

/**
 * ln Γ(z) less Stirling's (z − ½) ln z − z + ½ ln 2π, for z > 0. DLMF 5.11.1, six terms, taken at z ≥ 10, where
 * the seventh is below 7e-16; smaller z are shifted there by Γ(z + 1) = z Γ(z).
 */
export function stirlingError(z: number): number {
  if (z < 10) {
    const step = (z + 0.5) * Math.log1p(1 / z) - 1;
    return stirlingError(z + 1) + step;
  }
  const y = 1 / (z * z);
  const tail = 1 / 1260 + y * (-1 / 1680 + y * (1 / 1188 - (y * 691) / 360_360));
  return (1 / 12 + y * (-1 / 360 + y * tail)) / z;
}

/** x ln(x/m) + m − x, given d = x − m: no digits are lost where x is near m. C. Loader (2000), `bd0`. */
function deviance(x: number, m: number, d: number): number {
  if (Math.abs(d) >= 0.1 * (x + m)) return x * Math.log(x / m) - d;
  const v = d / (x + m);
  let sum = d * v;
  let term = 2 * x * v;
  for (let k = 3; ; k += 2) {
    term *= v * v;
    const next = sum + term / k;
    if (next === sum) return sum;
    sum = next;
  }
}

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

const TINY = 1e-300;
const MAX_STEPS = 1_000_000;

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
  throw new AppError<StatisticsErrorCode>(
    'STATISTICS_NO_CONVERGENCE',
    `The incomplete beta function at x = ${x}, a = ${a}, b = ${b} did not settle.`,
  );
}

/**
 * ln ∫ tᵃ⁻¹ (1−t)ᵇ⁻¹ dt over x…1, less ln( xᵃ (1−x)ᵇ ): the upper tail as a multiple of its integrand at x.
 * Never underflows, as both logarithms can be large while their difference is what is asked for.
 */
export function logUpperTailRatio(x: number, a: number, b: number): number {
  // 1 − I_x(a,b) = I_{1−x}(b,a), DLMF 8.17.4.
  if (x > (a + 1) / (a + b + 2)) return Math.log(fraction(1 - x, b, a) / b);
  const term = logBetaTerm(x, a, b);
  const logLower = term + Math.log(fraction(x, a, b) / a);
  return Math.log1p(-Math.exp(logLower)) - term;
}
