import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { informationLimit, kl, upperRate } from './information.ts';
import { binomialAtLeast } from './probability.ts';

describe('the divergence of two rates', () => {
  it('is the sum of its two parts, nothing for equal rates, and finite for 0 and 1', () => {
    expect(kl(0.5, 0.25)).toBeCloseTo(0.5 * Math.log(4 / 3), 14);
    expect(kl(0.2, 0.2)).toBe(0);
    expect(kl(0, 0.5)).toBeCloseTo(Math.log(2), 14);
    expect(kl(1, 0.25)).toBeCloseTo(Math.log(4), 14);
  });

  it('bounds how soon any test can tell', () => {
    // ln 100 / (0.01 ln 5 + 0.99 ln(0.99/0.998)), and the same for 2 %.
    expect(informationLimit({ limit: 0.002, rate: 0.01, risk: 0.01 })).toBeCloseTo(566.68, 2);
    expect(informationLimit({ limit: 0.002, rate: 0.02, risk: 0.01 })).toBeCloseTo(163.2, 0);
    expect(informationLimit({ limit: 0.002, rate: 0.002, risk: 0.01 })).toBe(Infinity);
  });

  it.each([
    [-0.1, 0.5],
    [0.5, 0],
    [0.5, 1],
    [Number.NaN, 0.5],
  ])('refuses %d from %d', (p, q) => {
    expect(() => kl(p, q)).toThrow(expect.objectContaining({ code: 'STATISTICS_ARGUMENT' }));
  });
});

describe('the highest rate that fits what was recorded', () => {
  it('has a closed form without errors', () => {
    // (1 − u)ⁿ = 1 − confidence
    expect(upperRate({ errors: 0, trials: 1_000, confidence: 0.95 })).toBeCloseTo(
      1 - 0.05 ** (1 / 1_000),
      12,
    );
  });

  it('is one without trials, and where all failed', () => {
    expect(upperRate({ errors: 0, trials: 0, confidence: 0.99 })).toBe(1);
    expect(upperRate({ errors: 7, trials: 7, confidence: 0.99 })).toBe(1);
  });

  it('is where so few errors would be as unlikely as the confidence leaves', () => {
    const confidences = fc.double({ min: 0.5, max: 0.9999, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        confidences,
        (trials, part, confidence) => {
          const errors = Math.floor(trials * part);
          const rate = upperRate({ errors, trials, confidence });
          expect(rate).toBeGreaterThan(errors / trials);
          expect(binomialAtLeast(errors + 1, trials, rate)).toBeCloseTo(confidence, 9);
        },
      ),
    );
  });

  it('covers the true rate at least as often as it says', () => {
    for (const truth of [0.01, 0.1, 0.5]) {
      let covered = 0;
      for (let errors = 0; errors <= 60; errors += 1) {
        const chance = binomialAtLeast(errors, 60, truth) - binomialAtLeast(errors + 1, 60, truth);
        if (upperRate({ errors, trials: 60, confidence: 0.9 }) >= truth) covered += chance;
      }
      expect(covered).toBeGreaterThanOrEqual(0.9);
    }
  });
});
