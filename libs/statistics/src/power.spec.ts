import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logEvidenceWorseVarying, shareOfErrors } from './compare.ts';
import { logEvidenceEventsAbove } from './events.ts';
import {
  errorsForPower,
  exposureForPower,
  powerToSee,
  smallestDetectable,
  trialsForPower,
  trialsToCertify,
} from './power.ts';
import { logEvidenceRateAbove, logEvidenceRateBelow, priorFor } from './rate.ts';

const threshold = Math.log(100);

/** P(k successes of n), by products. */
function binomial(n: number, k: number, p: number): number {
  let chance = 1;
  for (let i = 1; i <= k; i += 1) chance *= ((n - k + i) / i) * p;
  return chance * (1 - p) ** (n - k);
}

/** The definition: the chances of all counts that are enough. */
function slowPower(n: number, p: number, isEnough: (successes: number) => boolean): number {
  let power = 0;
  for (let k = 0; k <= n; k += 1) if (isEnough(k)) power += binomial(n, k, p);
  return power;
}
const firstWith = (passes: (n: number) => boolean): number => {
  let n = 1;
  while (!passes(n)) n += 1;
  return n;
};

const limits = fc.double({ min: 0.1, max: 0.4, noNaN: true });
const factors = fc.double({ min: 1.8, max: 2.4, noNaN: true });
const powers = fc.double({ min: 0.3, max: 0.95, noNaN: true });

describe('how much traffic a test needs', () => {
  it('is the smallest number of requests with the power, by definition', () => {
    fc.assert(
      fc.property(limits, factors, powers, (limit, factor, power) => {
        const regression = limit * factor;
        const prior = priorFor(limit);
        const reaches = (n: number) =>
          slowPower(n, regression, (errors) => {
            return logEvidenceRateAbove({ errors, trials: n, limit, ...prior }) >= threshold;
          });
        const needed = trialsForPower({ limit, regression, threshold, power });
        expect(needed).toBe(firstWith((n) => reaches(n) >= power - 1e-12));
        expect(powerToSee({ limit, regression, threshold, trials: needed })).toBeCloseTo(
          reaches(needed),
          9,
        );
      }),
      { numRuns: 12 },
    );
  });

  it('is about the median delay that is known for a test that is looked at all the time', () => {
    // Limit 0.2 %, α = 1 %, prior Beta(1, 100): median 7 100, 2 000, 700 and 200 requests.
    const median = (regression: number) =>
      trialsForPower({ limit: 0.002, regression, threshold, power: 0.5 });
    for (const [regression, known] of [
      [0.004, 7_100],
      [0.006, 2_000],
      [0.01, 700],
      [0.02, 200],
    ] as const) {
      expect(median(regression)).toBeGreaterThan(0.9 * known);
      expect(median(regression)).toBeLessThan(1.4 * known);
    }
  });

  it('grows with the power and the threshold, and shrinks with the regression', () => {
    const needed = (power: number, risk: number, regression: number) =>
      trialsForPower({ limit: 0.01, regression, threshold: -Math.log(risk), power });
    expect(needed(0.9, 0.01, 0.02)).toBeGreaterThan(needed(0.8, 0.01, 0.02));
    expect(needed(0.8, 0.001, 0.02)).toBeGreaterThan(needed(0.8, 0.01, 0.02));
    expect(needed(0.8, 0.01, 0.05)).toBeLessThan(needed(0.8, 0.01, 0.02));
    expect(needed(0.8, 0.01, 1)).toBeLessThan(5);
  });

  it('counts errors of both arms when two versions are compared', () => {
    const given = { canaryShare: 0.2, ratio: 3, margin: 0.1, threshold: Math.log(20), power: 0.8 };
    const expectedShare = shareOfErrors(0.2, 1.1);
    const reaches = (errors: number) =>
      slowPower(errors, shareOfErrors(0.2, 3), (canaryErrors) => {
        const counts = { canaryErrors, errors, expected: errors * expectedShare };
        return logEvidenceWorseVarying(counts) >= given.threshold;
      });
    expect(errorsForPower(given)).toBe(firstWith((n) => reaches(n) >= 0.8));
    expect(errorsForPower({ ...given, canaryShare: 0.01 })).toBeGreaterThan(errorsForPower(given));
    expect(errorsForPower({ ...given, canaryShare: 0.2 + 1e-7 })).toBe(errorsForPower(given));
  });

  it('is a time where events are counted', () => {
    const given = { limit: 2, perMs: 60_000, regression: 5, threshold, power: 0.8 };
    const exposureMs = exposureForPower(given);
    const powerAfter = (ms: number) => {
      const mean = (5 * ms) / 60_000;
      let chance = Math.exp(-mean);
      let power = 0;
      for (let events = 0; events < 400; events += 1) {
        const counts = { events, exposureMs: ms, limit: 2, perMs: 60_000 };
        if (logEvidenceEventsAbove(counts) >= threshold) power += chance;
        chance *= mean / (events + 1);
      }
      return power;
    };
    expect(powerAfter(exposureMs)).toBeGreaterThanOrEqual(0.8);
    for (let ms = 1_000; ms < exposureMs; ms += 5_000) expect(powerAfter(ms)).toBeLessThan(0.8);
  });
});

describe('how much traffic proves a version good', () => {
  it('is known for a version without errors', () => {
    const needed = (risk: number) =>
      trialsToCertify({
        limit: 0.002,
        rate: 0,
        threshold: -Math.log(risk),
        power: 0.99,
        prior: { alpha: 1, beta: 1 },
      });
    expect([0.05, 0.01].map((risk) => 10 * Math.ceil(needed(risk) / 10))).toEqual([2_260, 3_240]);
  });

  it('is the smallest number of requests with the power, by definition', () => {
    fc.assert(
      fc.property(
        limits,
        fc.double({ min: 0, max: 0.4, noNaN: true }),
        powers,
        (limit, part, power) => {
          const rate = limit * part;
          const prior = priorFor(limit);
          const reaches = (n: number) =>
            slowPower(
              n,
              rate,
              (errors) => logEvidenceRateBelow({ errors, trials: n, limit, ...prior }) >= threshold,
            );
          const needed = trialsToCertify({ limit, rate, threshold, power });
          expect(needed).toBe(firstWith((n) => reaches(n) >= power - 1e-12));
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe('the smallest regression that is seen', () => {
  it('is seen with exactly the power', () => {
    const rate =
      smallestDetectable({ limit: 0.002, trials: 5_000, threshold, power: 0.8 }) ?? Number.NaN;
    expect(rate).toBeGreaterThan(0.004);
    expect(powerToSee({ limit: 0.002, trials: 5_000, threshold, regression: rate })).toBeCloseTo(
      0.8,
      9,
    );
  });

  it('does not exist where even nothing but errors proves nothing', () => {
    expect(smallestDetectable({ limit: 0.2, trials: 2, threshold, power: 0.8 })).toBeNull();
    expect(smallestDetectable({ limit: 0.2, trials: 0, threshold, power: 0.8 })).toBeNull();
    expect(powerToSee({ limit: 0.2, trials: 2, threshold, regression: 1 })).toBe(0);
  });
});

describe('a question that has no answer', () => {
  const aim = { limit: 0.1, threshold, power: 0.8 };
  it.each([
    ['a regression within the limit', () => trialsForPower({ ...aim, regression: 0.1 })],
    ['a regression beyond one', () => trialsForPower({ ...aim, regression: 1.1 })],
    ['certainty', () => trialsForPower({ ...aim, regression: 0.2, power: 1 })],
    ['no threshold', () => smallestDetectable({ ...aim, trials: 10, threshold: 0 })],
    ['a rate at the limit to certify', () => trialsToCertify({ ...aim, rate: 0.1 })],
    [
      'a ratio within the margin',
      () => errorsForPower({ ...aim, canaryShare: 0.1, ratio: 1.1, margin: 0.1 }),
    ],
    [
      'a canary with everybody',
      () => errorsForPower({ ...aim, canaryShare: 1, ratio: 2, margin: 0 }),
    ],
    ['events within the limit', () => exposureForPower({ ...aim, perMs: 1, regression: 0.1 })],
  ])('is refused: %s', (_, ask) => {
    expect(ask).toThrow(expect.objectContaining({ code: 'STATISTICS_ARGUMENT' }));
  });
});

it('says that something is never seen, at once, instead of failing', () => {
  const wanted = { threshold, power: 0.8 };
  const compared = (margin: number, ratio: number) =>
    errorsForPower({ ...wanted, canaryShare: 0.1, margin, ratio });
  expect([compared(0.1, 1.12), compared(0, 1.02), compared(1, 2.02)]).toEqual(
    Array(3).fill(Infinity),
  );
  expect(trialsForPower({ ...wanted, limit: 0.01, regression: 0.010_001 })).toBe(Infinity);
  expect(trialsToCertify({ ...wanted, limit: 0.01, rate: 0.009_999 })).toBe(Infinity);
  const events = { ...wanted, limit: 10, perMs: 1_000, regression: 10.001 };
  expect(exposureForPower(events)).toBe(Infinity);
});

it('says how much is needed a tenth beyond what is allowed, the least that a plan may want seen', () => {
  for (const margin of [0, 0.1, 1, 10])
    for (const canaryShare of [0.000_01, 0.1, 0.99]) {
      const ratio = 1.1 * (1 + margin);
      const errors = errorsForPower({ canaryShare, margin, ratio, threshold: 14, power: 0.8 });
      expect(errors).toBeLessThan(Infinity);
    }
});
