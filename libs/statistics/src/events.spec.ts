import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logEvidenceEventsAbove, logEvidenceEventsBelow } from './events.ts';

/** Where the limit allows `mean` events. */
const counted = (events: number, mean: number) => ({
  events,
  exposureMs: mean * 60_000,
  limit: 2,
  perMs: 120_000,
});

/** Σ over x of the Poisson probability of x times E(x), up to where nothing is left. */
function meanEvidence(mean: number, truth: number, test: typeof logEvidenceEventsAbove): number {
  let logChance = -truth;
  let sum = 0;
  for (let x = 0; x < 50 + 200 * mean; x += 1) {
    sum += Math.exp(logChance + test(counted(x, mean)));
    logChance += Math.log(truth / (x + 1));
  }
  return sum;
}
const means = fc.double({ min: 0.01, max: 10, noNaN: true });
const parts = fc.double({ min: 0, max: 1, noNaN: true });

describe('evidence that events come too often', () => {
  it('has the value that confseq publishes for its gamma-Poisson mixture', () => {
    // gostevehoward/confseq, uniform_boundaries_unittest.cpp: s 10, v 100, v_opt 100, c 2, alpha_opt 0.05.
    const logs = 2 * Math.log(1 / 0.1);
    const weight = 100 / (logs + Math.log(1 + logs)) / 4;
    const prior = { shape: weight, rate: weight };
    const counts = { events: 30, exposureMs: 25, limit: 1, perMs: 1, prior };
    expect(logEvidenceEventsAbove(counts)).toBeCloseTo(-0.06991219, 6);
  });

  it.each([
    [0, 5, 1, 0.2, -3.258096538021],
    [5, 5, 1, 0.2, -2.057052190535],
    [12, 5, 1, 0.2, 2.142401654085],
    [1000, 1000, 1, 0.2, -4.825916686891],
    [1100, 1000, 1, 0.2, 0.7234864071485],
    [1_000_000, 1_000_000, 1, 0.2, -8.291029658667],
    [1_003_000, 1_000_000, 1, 0.2, -3.103205660264],
    [500_000, 1_000_000, 1, 0.2, -14.73180368982],
    [2_000_000, 1_000_000, 1, 0.2, 386286.9094387],
    [1_000_000_000, 1_000_000_000, 1, 0.2, -11.74526770381],
    [7, 3.5, 2.5, 0.7, 0.4403773323354],
  ])('of %d where %d are allowed, Gamma(%d, %d), is %d', (events, exposureMs, shape, rate, ln) => {
    // Integrated numerically with 40 digits (mpmath).
    const counts = { events, exposureMs, limit: 1, perMs: 1, prior: { shape, rate } };
    expect(logEvidenceEventsAbove(counts) / ln).toBeCloseTo(1, 11);
  });

  it('is worth exactly 1 on average at the limit, and less below', () => {
    fc.assert(
      fc.property(means, parts, (mean, part) => {
        expect(meanEvidence(mean, mean, logEvidenceEventsAbove)).toBeCloseTo(1, 8);
        expect(meanEvidence(mean, mean * part, logEvidenceEventsAbove)).toBeLessThanOrEqual(
          1 + 1e-9,
        );
      }),
    );
  });

  it('grows with every event and shrinks with time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3_000 }),
        fc.double({ min: 0, max: 3_000, noNaN: true }),
        (x, mean) => {
          const now = logEvidenceEventsAbove(counted(x, mean));
          expect(logEvidenceEventsAbove(counted(x + 1, mean))).toBeGreaterThan(now);
          expect(logEvidenceEventsAbove(counted(x, mean * 1.01 + 0.01))).toBeLessThan(now);
        },
      ),
    );
  });

  it('says nothing at the beginning', () => {
    expect(logEvidenceEventsAbove(counted(0, 0))).toBe(0);
    expect(logEvidenceEventsBelow(counted(0, 0))).toBe(0);
  });

  it.each([
    { events: -1 },
    { events: Number.NaN },
    { exposureMs: Infinity },
    { limit: 0 },
    { perMs: 0 },
    { prior: { shape: 0, rate: 1 } },
  ])('refuses %j', (part) => {
    const compute = () => logEvidenceEventsAbove({ ...counted(1, 1), ...part });
    expect(compute).toThrow(expect.objectContaining({ code: 'STATISTICS_ARGUMENT' }));
  });
});

describe('evidence that events come rarely', () => {
  it.each([
    [0, 5, 1, 0.2, 3.444143426093],
    [5, 12, 1, 0.2, 1.859110650056],
    [1000, 1000, 1, 0.2, -3.341691820708],
    [900, 1000, 1, 0.2, 2.505477926443],
    [997_000, 1_000_000, 1, 0.2, -1.588224672081],
    [0, 1_000_000, 1, 0.2, 999986.2828231],
    [1_000_000_000, 1_000_000_000, 1, 0.2, -10.23751945208],
    [7, 3.5, 2.5, 0.7, -1.066268238725],
  ])('of %d where %d are allowed, Gamma(%d, %d), is %d', (events, exposureMs, shape, rate, ln) => {
    const counts = { events, exposureMs, limit: 1, perMs: 1, prior: { shape, rate } };
    expect(logEvidenceEventsBelow(counts) / ln).toBeCloseTo(1, 11);
  });

  it('is worth exactly 1 on average at the limit, and less above', () => {
    fc.assert(
      fc.property(means, parts, (mean, part) => {
        expect(meanEvidence(mean, mean, logEvidenceEventsBelow)).toBeCloseTo(1, 8);
        expect(meanEvidence(mean, mean * (1 + part), logEvidenceEventsBelow)).toBeLessThanOrEqual(
          1 + 1e-9,
        );
      }),
    );
  });
});
