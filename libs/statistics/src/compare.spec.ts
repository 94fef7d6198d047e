import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  logEvidenceBetterVarying,
  logEvidenceWorse,
  logEvidenceWorseVarying,
  shareOfErrors,
  type VaryingEvidence,
} from './compare.ts';

const worse = (
  canaryErrors: number,
  baselineErrors: number,
  canaryShare: number,
  concentration = 10,
): number => logEvidenceWorse({ canaryErrors, baselineErrors, canaryShare, concentration });

/** Errors of both arms, and the share of them that is allowed to be the canary's, interval by interval. */
const intervals = fc.array(
  fc.record({
    errors: fc.integer({ min: 0, max: 6 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { minLength: 1, maxLength: 8 },
);
type Intervals = readonly { readonly errors: number; readonly share: number }[];

/** The probabilities of 0, 1, 2, … canary errors, when each error is the canary's with its interval's share. */
function canaryErrorsOf(given: Intervals): number[] {
  let chances = [1];
  for (const { errors, share } of given) {
    for (let i = 0; i < errors; i += 1) {
      chances = [...chances, 0].map(
        (chance, x) => chance * (1 - share) + (chances[x - 1] ?? 0) * share,
      );
    }
  }
  return chances;
}

/** The mean of E when the shares are those of `truth`, tested against those of `allowed`. */
function meanEvidence(
  test: (counts: VaryingEvidence) => number,
  truth: Intervals,
  allowed: Intervals,
): number {
  const errors = truth.reduce((sum, each) => sum + each.errors, 0);
  const expected = allowed.reduce((sum, each) => sum + each.errors * each.share, 0);
  return canaryErrorsOf(truth).reduce(
    (mean, chance, canaryErrors) =>
      mean + chance * Math.exp(test({ canaryErrors, errors, expected })),
    0,
  );
}

describe('evidence that the canary is worse', () => {
  it.each([
    [5, 10, 0.1, 2.082159],
    [12, 20, 0.1, 6.726329],
    [10, 30, 0.1, 2.830966],
    [40, 20, 0.5, 2.631404],
    [12, 8, 0.5, 0.143612],
  ])('of %i errors against %i at share %d is %d', (canary, baseline, share, ln) => {
    expect(worse(canary, baseline, share)).toBeCloseTo(ln, 6);
  });

  it('multiplies over stages, each with a share of its own', () => {
    expect(worse(5, 10, 0.1) + worse(12, 8, 0.5)).toBeCloseTo(2.225771, 6);
  });

  it('does not grow when both fail in proportion, as in a shared outage', () => {
    expect(worse(100, 900, 0.1)).toBeLessThan(0);
    expect(worse(10_000, 90_000, 0.1)).toBeLessThan(worse(100, 900, 0.1));
  });

  it('is a test against the share: errors of both sides are its trials', () => {
    const errors = fc.integer({ min: 0, max: 2_000 });
    const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(errors, errors, share, (canary, baseline, rho) => {
        const now = worse(canary, baseline, rho);
        const theirs = Math.exp(worse(canary, baseline + 1, rho) - now);
        const ours = Math.exp(worse(canary + 1, baseline, rho) - now);
        expect(rho * ours + (1 - rho) * theirs).toBeCloseTo(1, 8);
      }),
    );
  });

  it('refuses counts below zero', () => {
    expect(() => worse(5, -1, 0.1)).toThrow(
      expect.objectContaining({ code: 'STATISTICS_ARGUMENT' }),
    );
  });
});

describe('evidence that the canary is worse, with a share that changes', () => {
  it('is worth at most 1 on average for every history of shares, though it keeps only their sum', () => {
    fc.assert(
      fc.property(intervals, fc.double({ min: 0, max: 1, noNaN: true }), (allowed, part) => {
        const truth = allowed.map(({ errors, share }) => ({ errors, share: share * part }));
        expect(meanEvidence(logEvidenceWorseVarying, allowed, allowed)).toBeLessThanOrEqual(
          1 + 1e-9,
        );
        expect(meanEvidence(logEvidenceWorseVarying, truth, allowed)).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it('proves good by the mirror, which is worth at most 1 on average when it is as bad or worse', () => {
    fc.assert(
      fc.property(intervals, fc.double({ min: 0, max: 1, noNaN: true }), (allowed, part) => {
        const truth = allowed.map(({ errors, share }) => ({
          errors,
          share: share + (1 - share) * part,
        }));
        expect(meanEvidence(logEvidenceBetterVarying, allowed, allowed)).toBeLessThanOrEqual(
          1 + 1e-9,
        );
        expect(meanEvidence(logEvidenceBetterVarying, truth, allowed)).toBeLessThanOrEqual(
          1 + 1e-9,
        );
      }),
    );
  });

  it('is exactly 1 on average where the share does not change', () => {
    const constant = [{ errors: 30, share: 0.2 }];
    expect(meanEvidence(logEvidenceWorseVarying, constant, constant)).toBeCloseTo(1, 12);
    expect(meanEvidence(logEvidenceBetterVarying, constant, constant)).toBeCloseTo(1, 12);
  });

  it('does not depend on the order of the intervals, and a replay gives the same number', () => {
    fc.assert(
      fc.property(intervals, fc.integer({ min: 0, max: 48 }), (given, seen) => {
        const counts = (all: Intervals) => {
          const errors = all.reduce((sum, each) => sum + each.errors, 0);
          const expected = all.reduce((sum, each) => sum + each.errors * each.share, 0);
          return { canaryErrors: Math.min(seen, errors), errors, expected };
        };
        const now = logEvidenceWorseVarying(counts(given));
        expect(logEvidenceWorseVarying(counts(given))).toBe(now);
        expect(logEvidenceWorseVarying(counts(given.toReversed()))).toBeCloseTo(now, 9);
      }),
    );
  });

  it.each([
    [5, 15, 1.5, 2.018574654258],
    [120, 1000, 100, 0.4703016379373],
    [100, 1000, 100, -2.617130122194],
    [100_000, 1_000_000, 100_000, -118.6692462006],
    [101_000, 1_000_000, 100_000, -68.66924620062],
    [1_000_000, 1_000_000_000, 1_000_000, -1274.440539675],
  ])('of %d of %d errors with %d expected is %d', (canaryErrors, errors, expected, ln) => {
    // Summed with 50 digits (mpmath).
    expect(logEvidenceWorseVarying({ canaryErrors, errors, expected }) / ln).toBeCloseTo(1, 11);
  });

  it.each([
    [5, 15, 1.5, -1.73995512072],
    [120, 1000, 100, -4.436365333989],
    [100, 1000, 100, -2.550634597366],
    [100_000, 1_000_000, 100_000, -115.6692762337],
    [101_000, 1_000_000, 100_000, -165.6692762337],
    [1_000_000, 1_000_000_000, 1_000_000, -1232.893658916],
  ])(
    'of %d of %d errors with %d expected is %d for the mirror',
    (canaryErrors, errors, expected, ln) => {
      expect(logEvidenceBetterVarying({ canaryErrors, errors, expected }) / ln).toBeCloseTo(1, 11);
    },
  );

  it('comes close to the test for one share, and beats it where the regression is large', () => {
    expect(logEvidenceWorseVarying({ canaryErrors: 12, errors: 32, expected: 3.2 })).toBeCloseTo(
      6.9,
      1,
    );
    expect(worse(12, 20, 0.1)).toBeCloseTo(6.7, 1);
    expect(logEvidenceWorseVarying({ canaryErrors: 20, errors: 20, expected: 10 })).toBeGreaterThan(
      worse(20, 0, 0.5),
    );
  });

  it('says nothing without errors, and nothing where only the canary has requests', () => {
    expect(logEvidenceWorseVarying({ canaryErrors: 0, errors: 0, expected: 0 })).toBe(0);
    expect(logEvidenceWorseVarying({ canaryErrors: 50, errors: 50, expected: 50 })).toBeCloseTo(
      0,
      9,
    );
  });

  it.each([
    { canaryErrors: 3, errors: 2, expected: 1 },
    { canaryErrors: -1, errors: 2, expected: 1 },
    { canaryErrors: 1, errors: 2, expected: 2.1 },
    { canaryErrors: 1, errors: Infinity, expected: 1 },
    { canaryErrors: 1, errors: 2, expected: Number.NaN },
  ])('refuses %j', (counts) => {
    expect(() => logEvidenceWorseVarying(counts)).toThrow(
      expect.objectContaining({ code: 'STATISTICS_ARGUMENT' }),
    );
  });
});

describe('the share of the errors', () => {
  it('is the share of the requests for equal rates, and follows the ratio', () => {
    expect(shareOfErrors(0.1, 1)).toBeCloseTo(0.1, 15);
    expect(shareOfErrors(0.5, 3)).toBeCloseTo(0.75, 15);
    expect(shareOfErrors(0.1, 1.1)).toBeCloseTo(0.11 / 1.01, 15);
    expect(shareOfErrors(0, 2)).toBe(0);
    expect(shareOfErrors(1, 2)).toBe(1);
  });
});
