import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logBetaTerm, logUpperTailRatio } from './beta.ts';
import { stirlingError } from './stirling.ts';

/** ln of a quotient of big integers, to the last digits of a double. */
function logOfQuotient(over: bigint, under: bigint): number {
  const scaled = (value: bigint): [number, number] => {
    const bits = Math.max(0, value.toString(2).length - 60);
    return [Number(value >> BigInt(bits)), bits];
  };
  const [a, shiftA] = scaled(over);
  const [b, shiftB] = scaled(under);
  return Math.log(a / b) + (shiftA - shiftB) * Math.LN2;
}

const choose = (n: number, k: number): bigint => {
  let result = 1n;
  for (let i = 1; i <= k; i += 1) result = (result * BigInt(n - k + i)) / BigInt(i);
  return result;
};

/**
 * The tail's definition, exact: ∫ over x…1 of tᵃ⁻¹ (1−t)ᵇ⁻¹ dt = B(a,b) · P(Bin(a+b−1, x) < a), for integers a, b
 * and x = p/q; divided by xᵃ (1−x)ᵇ.
 */
function exactRatio(p: number, q: number, a: number, b: number): number {
  const [x, y, z] = [BigInt(p), BigInt(q - p), BigInt(q)];
  const n = a + b - 1;
  let below = 0n;
  for (let k = 0; k < a; k += 1) below += choose(n, k) * x ** BigInt(k) * y ** BigInt(n - k);
  // B(a,b) = 1 / (b C(n, b)); a common factor z^(a+b) / z^n = z is left.
  return logOfQuotient(below * z, BigInt(b) * choose(n, b) * x ** BigInt(a) * y ** BigInt(b));
}

describe('the error of Stirling’s formula', () => {
  it('is exact for factorials', () => {
    let factorial = 1n;
    for (let n = 1; n <= 40; n += 1) {
      if (n > 1) factorial *= BigInt(n - 1); // Γ(n) = (n − 1)!
      const stirling = (n - 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI);
      expect(stirlingError(n)).toBeCloseTo(logOfQuotient(factorial, 1n) - stirling, 12);
    }
  });

  it('is exact for Γ(½) = √π', () => {
    const stirling = -0.5 + 0.5 * Math.log(2 * Math.PI);
    expect(stirlingError(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI) - stirling, 14);
  });
});

describe('the tail of the beta distribution', () => {
  it('agrees with its definition in whole numbers, on both sides of the mean', () => {
    const weight = fc.integer({ min: 1, max: 120 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999 }), weight, weight, (p, a, b) => {
        const exact = exactRatio(p, 1_000, a, b);
        const error = Math.abs(logUpperTailRatio(p / 1_000, a, b) - exact);
        expect(error).toBeLessThan(1e-11 * Math.max(1, Math.abs(exact)));
      }),
    );
  });

  it.each([
    // far beyond where I_x(a,b) itself is 0 or 1 in doubles
    [1, 1_000, 400, 5],
    [999, 1_000, 5, 400],
    [1, 1_000, 300, 1],
    [999, 1_000, 1, 300],
    [1, 2, 900, 10],
    [1, 2, 10, 900],
  ])('does not underflow at x = %i/%i, a = %i, b = %i', (p, q, a, b) => {
    const exact = exactRatio(p, q, a, b);
    expect(Math.abs(logUpperTailRatio(p / q, a, b) / exact - 1)).toBeLessThan(1e-13);
  });

  it('has the published values of the untruncated mixture', () => {
    // Level of the confidence sequence method for the Beta(1,1) prior: pkhuong/csm, doctests of csm.py.
    const level = (n: number, p: number, s: number) =>
      logBetaTerm(p, 1 + s, 1 + n - s) - logBetaTerm(p, 1, 1);
    expect(level(10, 0.05, 1)).toBeCloseTo(1.243108, 6);
    expect(level(1e6, 0.99, 990_596)).toBeCloseTo(-9.977077, 6);
    expect(level(1e6, 0.99, 990_597)).toBeCloseTo(-10.03913, 6);
    expect(level(1e5, 0.05, 100)).toBeCloseTo(-4624.7567, 4);
  });
});
