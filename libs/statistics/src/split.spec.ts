import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logEvidenceSplit } from './split.ts';

const anytime = (counts: number[], shares: number[]) =>
  Math.exp(-logEvidenceSplit({ counts, shares, concentration: 100 }));

describe('evidence that counts are not split as intended', () => {
  it('has the p-values that savvi publishes where its examples stop', () => {
    // assuncaolfi/savvi, examples: Poisson rates, and a multinomial; k = 100.
    expect(anytime([148, 62], [0.8, 0.2])).toBeCloseTo(0.0455796317592, 10);
    expect(anytime([40, 129, 233], [0.1, 0.4, 0.5])).toBeCloseTo(0.0484559110597, 10);
  });

  it('is worth exactly 1 on average when the split is the intended one', () => {
    const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
    const weight = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(
        fc.tuple(weight, weight, weight),
        weight,
        fc.integer({ min: 1, max: 200 }),
        (shares, n, k) => {
          const [p = 0, q = 0, r = 0] = shares.map(
            (share) => share / (shares[0] + shares[1] + shares[2]),
          );
          let mean = 0;
          for (let x = 0; x <= n; x += 1) {
            for (let y = 0; y <= n - x; y += 1) {
              const z = n - x - y;
              const ways = factorial(n) / (factorial(x) * factorial(y) * factorial(z));
              const logE = logEvidenceSplit({ counts: [x, y, z], shares, concentration: k });
              mean += ways * p ** x * q ** y * r ** z * Math.exp(logE);
            }
          }
          expect(mean).toBeCloseTo(1, 10);
        },
      ),
    );
  });

  it.each([
    [[100_000_000, 900_000_000], [0.1, 0.9], 100, -8.06747102963],
    [[100_050_000, 899_950_000], [0.1, 0.9], 100, 5.819137220053],
    [[5, 0, 1], [0.2, 0.3, 0.5], 10, 1.831581963415],
    [[333_333_333, 333_333_333, 333_333_333], [1, 1, 1], 100, -16.12476219379],
    [[499_960_000, 500_040_000], [0.5, 0.5], 1, -7.387424267955],
  ])('of %j for shares %j, k = %d, is %d', (counts, shares, concentration, ln) => {
    // Computed with 40 digits (mpmath).
    expect(logEvidenceSplit({ counts, shares, concentration }) / ln).toBeCloseTo(1, 11);
  });

  it('is two-sided, does not care for the order of the arms, and takes percentages as well as parts of one', () => {
    const logE = (counts: number[], shares: number[]) => logEvidenceSplit({ counts, shares });
    expect(logE([700, 300], [0.5, 0.5])).toBeGreaterThan(20);
    expect(logE([300, 700], [0.5, 0.5])).toBeCloseTo(logE([700, 300], [0.5, 0.5]), 9);
    expect(logE([90, 10], [95, 5])).toBeCloseTo(logE([10, 90], [0.05, 0.95]), 9);
    expect(logE([0, 0], [95, 5])).toBeCloseTo(0, 12);
  });

  it.each([
    { counts: [1], shares: [0.5, 0.5] },
    { counts: [], shares: [] },
    { counts: [1, -1], shares: [0.5, 0.5] },
    { counts: [1, 1], shares: [1, 0] },
    { counts: [1, 1], shares: [0.5, 0.5], concentration: 0 },
  ])('refuses %j', (evidence) => {
    expect(() => logEvidenceSplit(evidence)).toThrow(
      expect.objectContaining({ code: 'STATISTICS_ARGUMENT' }),
    );
  });
});
