const COEFFICIENTS = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360] as const;

/**
 * ln Γ(z) less Stirling's (z − ½) ln z − z + ½ ln 2π, for z > 0. DLMF 5.11.1, six terms, taken at z ≥ 10, where
 * the seventh is below 7e-16; smaller z are shifted there by Γ(z + 1) = z Γ(z).
 */
export function stirlingError(z: number): number {
  let shift = 0;
  let at = z;
  for (; at < 10; at += 1) shift += (at + 0.5) * Math.log1p(1 / at) - 1;
  const y = 1 / (at * at);
  const [c0, c1, c2, c3, c4, c5] = COEFFICIENTS;
  return shift + (c0 + y * (c1 + y * (c2 + y * (c3 + y * (c4 + y * c5))))) / at;
}

/** x ln(x/m) + m − x, given d = x − m: no digits are lost where x is near m. C. Loader (2000), `bd0`. */
export function deviance(x: number, m: number, d: number): number {
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
