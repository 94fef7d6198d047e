import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logEvidenceRateAbove, logEvidenceRateBelow, type Prior, priorFor } from './rate.ts';

const rate = (errors: number, trials: number, limit: number, { alpha, beta }: Prior): number =>
  logEvidenceRateAbove({ errors, trials, limit, alpha, beta });
const below = (errors: number, trials: number, limit: number, { alpha, beta }: Prior): number =>
  logEvidenceRateBelow({ errors, trials, limit, alpha, beta });

const limits = fc.double({ min: 1e-5, max: 0.9, noNaN: true });
const weights = fc.double({ min: 0.1, max: 200, noNaN: true });
const priors = fc.record({ alpha: weights, beta: weights });
const counts = fc
  .tuple(fc.integer({ min: 0, max: 5_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([trials, part]) => ({ trials, errors: Math.round(trials * part) }));

describe('evidence of a rate above the limit', () => {
  it.each([
    [0, 1_000, { alpha: 1, beta: 1 }, -6.908755],
    [6, 1_000, { alpha: 1, beta: 1 }, -2.485886],
    [20, 5_000, { alpha: 1, beta: 1 }, -2.225028],
    [0, 1_000, { alpha: 0.5, beta: 0.5 }, -5.088479],
    [6, 1_000, { alpha: 0.5, beta: 0.5 }, -1.066906],
    [20, 5_000, { alpha: 0.5, beta: 0.5 }, -0.586965],
    [0, 1_000, { alpha: 1, beta: 100 }, -2.397895],
    [6, 1_000, { alpha: 1, beta: 100 }, 1.652509],
    [20, 5_000, { alpha: 1, beta: 100 }, 2.165461],
  ])('of %i errors in %i requests, limit 0.2 %%, prior %j, is %d', (errors, trials, prior, ln) => {
    expect(rate(errors, trials, 0.002, prior)).toBeCloseTo(ln, 6);
  });

  it('has the value that confseq publishes for its one-sided beta-binomial mixture', () => {
    // gostevehoward/confseq, uniform_boundaries_unittest.cpp: s 10, v 100, v_opt 100, g 0.2, h 0.8.
    const r = 15.640635;
    expect(rate(135, 625, 0.2, { alpha: r / 0.8, beta: r / 0.2 })).toBeCloseTo(-0.07134019, 6);
  });

  it('has the known value for a share of slow requests', () => {
    expect(rate(40, 400, 0.05, { alpha: 1, beta: 4 })).toBeCloseTo(6.250102, 6);
  });

  it('has a closed form without errors and with the uniform prior', () => {
    expect(rate(0, 1_000, 0.002, { alpha: 1, beta: 1 })).toBeCloseTo(Math.log(1 / 1_001), 12);
  });

  it('has a prior with its mean at a few times the limit, unless told otherwise', () => {
    expect(priorFor(0.002)).toEqual({ alpha: 1, beta: 250 });
    const { alpha, beta } = priorFor(0.01);
    expect(alpha / (alpha + beta)).toBeCloseTo(0.0196, 4);
  });

  it('rolls back at the known number of errors', () => {
    const first = (trials: number, alpha: number) => {
      let errors = 0;
      while (rate(errors, trials, 0.002, { alpha: 1, beta: 100 }) < Math.log(1 / alpha))
        errors += 1;
      return errors;
    };
    expect([100, 1_000, 5_000, 50_000].map((trials) => first(trials, 0.05))).toEqual([
      3, 8, 22, 137,
    ]);
    expect([100, 1_000, 5_000, 50_000].map((trials) => first(trials, 0.01))).toEqual([
      4, 9, 24, 142,
    ]);
  });

  it('is exactly none before the first request', () => {
    fc.assert(fc.property(limits, priors, (limit, prior) => rate(0, 0, limit, prior) === 0));
  });

  it('grows with every error and shrinks with every good request', () => {
    fc.assert(
      fc.property(counts, limits, priors, ({ errors, trials }, limit, prior) => {
        const now = rate(errors, trials, limit, prior);
        expect(rate(errors + 1, trials + 1, limit, prior)).toBeGreaterThan(now);
        expect(rate(errors, trials + 1, limit, prior)).toBeLessThan(now);
      }),
    );
  });

  it('is worth today what it is worth on average after the next request, if the rate is the limit', () => {
    fc.assert(
      fc.property(counts, limits, priors, ({ errors, trials }, limit, prior) => {
        const now = rate(errors, trials, limit, prior);
        const bad = Math.exp(rate(errors + 1, trials + 1, limit, prior) - now);
        const good = Math.exp(rate(errors, trials + 1, limit, prior) - now);
        expect(limit * bad + (1 - limit) * good).toBeCloseTo(1, 8);
      }),
    );
  });

  it('loses on average with every request, if the rate is below the limit', () => {
    const part = fc.double({ min: 0, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(counts, limits, priors, part, ({ errors, trials }, limit, prior, of) => {
        const now = rate(errors, trials, limit, prior);
        const bad = Math.exp(rate(errors + 1, trials + 1, limit, prior) - now);
        const good = Math.exp(rate(errors, trials + 1, limit, prior) - now);
        const p = limit * of;
        expect(p * bad + (1 - p) * good).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it('ever reaches 1/α with a probability of at most α, looked at after every request', () => {
    // Exact: the distribution of the errors over all paths that have not yet reached it.
    for (const [limit, risk] of [
      [0.01, 0.05],
      [0.1, 0.01],
      [0.5, 0.2],
    ] as const) {
      let paths = new Map([[0, 1]]);
      let crossed = 0;
      for (const fatal of fatalErrors(limit, risk, 1_000)) {
        const next = new Map<number, number>();
        const add = (errors: number, probability: number) => {
          if (errors >= fatal) crossed += probability;
          else next.set(errors, (next.get(errors) ?? 0) + probability);
        };
        for (const [errors, probability] of paths) {
          add(errors + 1, probability * limit);
          add(errors, probability * (1 - limit));
        }
        paths = next;
      }
      expect(crossed).toBeLessThanOrEqual(risk);
      // Not empty either: a test that can never cross proves nothing.
      expect(crossed).toBeGreaterThan(risk / 20);
    }
  });

  it('finds a broken version after about as many requests as are known', () => {
    // Median over seeds, limit 0.2 %, prior Beta(1, 100), α = 1 %: rate 1 % → 700 requests, 5 % → 100.
    const fatal = fatalErrors(0.002, 0.01, 10_000);
    const requestsUntilBreach = (truth: number, seed: number) => {
      const random = lehmer(seed);
      let errors = 0;
      return 1 + fatal.findIndex((enough) => (errors += random() < truth ? 1 : 0) >= enough);
    };
    const median = (truth: number) =>
      Array.from({ length: 199 }, (_, seed) => requestsUntilBreach(truth, seed + 1)).sort(
        (a, b) => a - b,
      )[99];
    expect(median(0.01)).toBeGreaterThan(450);
    expect(median(0.01)).toBeLessThan(950);
    expect(median(0.05)).toBeGreaterThan(50);
    expect(median(0.05)).toBeLessThan(150);
  });

  it('stays exact to a thousand million requests', () => {
    // With a uniform prior and no errors, ln E = −ln(n + 1) − … is closed: ∫ (1−p)ⁿ dp over p0…1 = q0ⁿ⁺¹/(n+1).
    const n = 1e9;
    expect(rate(0, n, 0.001, { alpha: 1, beta: 1 })).toBeCloseTo(Math.log(1 / (n + 1)), 9);
    // Nothing but errors: ∫ pⁿ dp / p0ⁿ / (1 − p0) = (1 − p0ⁿ⁺¹) / ((n + 1) p0ⁿ (1 − p0)).
    const all = -n * Math.log(0.5) - Math.log((n + 1) * 0.5);
    expect(rate(n, n, 0.5, { alpha: 1, beta: 1 }) / all).toBeCloseTo(1, 14);
    // At the limit itself the martingale property must still hold to the last digits.
    const prior = priorFor(0.001);
    const now = rate(1e6, n, 0.001, prior);
    const bad = Math.exp(rate(1e6 + 1, n + 1, 0.001, prior) - now);
    const good = Math.exp(rate(1e6, n + 1, 0.001, prior) - now);
    expect(0.001 * bad + 0.999 * good).toBeCloseTo(1, 9);
  });

  it.each([
    [2_000_000, 1_000_000_000, 0.002, 1, 100, -8.63671133512],
    [2_010_000, 1_000_000_000, 0.002, 1, 100, 17.06620703232],
    [1_990_000, 1_000_000_000, 0.002, 1, 100, -10.83875326916],
    [1_000_000, 1_000_000_000, 0.002, 1, 100, -15.42494966839],
    [4_000_000, 1_000_000_000, 0.002, 1, 100, 774586.2734289],
    [10_000, 1_000_000_000, 1e-5, 1, 20000, -5.98510492732],
    [10_300, 1_000_000_000, 1e-5, 1, 20000, -0.8325836168277],
    [0, 1_000_000_000, 1e-5, 1, 20000, -10.81979828421],
    [500_000_000, 1_000_000_000, 0.5, 0.5, 0.5, -10.58742427137],
    [500_050_000, 1_000_000_000, 0.5, 0.5, 0.5, -4.895060090068],
    [52_000_000, 1_000_000_000, 0.05, 1, 4, 41574.30967793],
    [17, 31, 0.9, 2.5, 0.3, -3.845840960917],
    [999_999_000, 1_000_000_000, 0.999, 3, 7, 992542.6577745],
    [1.5, 10.25, 0.1, 1, 2, -0.7746238569806],
  ])(
    'of %d in %d at limit %d, Beta(%d, %d), is %d to eleven digits',
    (errors, trials, limit, alpha, beta, ln) => {
      // Integrated numerically with 40 digits (mpmath).
      expect(rate(errors, trials, limit, { alpha, beta }) / ln).toBeCloseTo(1, 11);
    },
  );

  it.each([
    { errors: 2, trials: 1 },
    { errors: -1, trials: 1 },
    { errors: Number.NaN, trials: 1 },
    { errors: 1, trials: Infinity },
    { errors: 0, trials: 1, limit: 0 },
    { errors: 0, trials: 1, limit: 1 },
    { errors: 0, trials: 1, limit: Number.NaN },
    { errors: 0, trials: 1, alpha: 0 },
    { errors: 0, trials: 1, beta: Infinity },
  ])('refuses %j', (counts) => {
    const compute = () => logEvidenceRateAbove({ limit: 0.01, alpha: 1, beta: 20, ...counts });
    expect(compute).toThrow(expect.objectContaining({ code: 'STATISTICS_ARGUMENT' }));
  });
});

describe('evidence of a rate below the limit', () => {
  it('certifies after the known number of requests, none of them or a few in error', () => {
    const first = (errors: number, risk: number) => {
      let trials = errors;
      while (below(errors, trials, 0.002, { alpha: 1, beta: 1 }) < -Math.log(risk)) trials += 1;
      return 10 * Math.ceil(trials / 10);
    };
    expect([0, 1, 2, 5].map((errors) => first(errors, 0.05))).toEqual([2_260, 3_430, 4_430, 7_040]);
    expect([0, 1, 2, 5].map((errors) => first(errors, 0.01))).toEqual([3_240, 4_500, 5_570, 8_360]);
  });

  it.each([
    [2_000_000, 1_000_000_000, 0.002, 1, 1, -7.029913544659],
    [1_990_000, 1_000_000_000, 0.002, 1, 100, 18.65320209849],
    [2_010_000, 1_000_000_000, 0.002, 1, 100, -9.332236177501],
    [0, 1_000_000, 0.002, 1, 100, 1994.499098069],
    [0, 1_000_000_000, 1e-5, 1, 20000, 9990.937969333],
    [9700, 1_000_000_000, 1e-5, 1, 20000, 0.7472898824911],
    [499_950_000, 1_000_000_000, 0.5, 0.5, 0.5, -4.895060090068],
    [3, 5000, 0.002, 1, 1, 2.575505404603],
    [17, 31, 0.9, 2.5, 0.3, 11.14843749633],
  ])(
    'of %d in %d at limit %d, Beta(%d, %d), is %d to eleven digits',
    (errors, trials, limit, alpha, beta, ln) => {
      expect(below(errors, trials, limit, { alpha, beta }) / ln).toBeCloseTo(1, 11);
    },
  );

  it('is worth today what it is worth on average after the next request, if the rate is the limit; less above', () => {
    const more = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(counts, limits, priors, more, ({ errors, trials }, limit, prior, more) => {
        const now = below(errors, trials, limit, prior);
        const bad = Math.exp(below(errors + 1, trials + 1, limit, prior) - now);
        const good = Math.exp(below(errors, trials + 1, limit, prior) - now);
        expect(limit * bad + (1 - limit) * good).toBeCloseTo(1, 8);
        const p = limit + (1 - limit) * more;
        expect(p * bad + (1 - p) * good).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it('cannot prove a rate good and bad at once', () => {
    fc.assert(
      fc.property(counts, limits, ({ errors, trials }, limit) => {
        const prior = priorFor(limit);
        const both = [rate(errors, trials, limit, prior), below(errors, trials, limit, prior)];
        expect(Math.min(...both)).toBeLessThanOrEqual(0.7);
      }),
    );
  });
});

/** The fewest errors that reach E ≥ 1/risk, after 1, 2, … requests; more requests need more. */
function fatalErrors(limit: number, risk: number, trials: number): number[] {
  let fatal = 1;
  return Array.from({ length: trials }, (_, index) => {
    const after = index + 1;
    const reaches = () => rate(fatal, after, limit, priorFor(limit)) >= Math.log(1 / risk);
    while (fatal <= after && !reaches()) fatal += 1;
    return fatal;
  });
}

/** Park and Miller's generator: the same draws for the same seed, everywhere. */
function lehmer(seed: number): () => number {
  let state = seed;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  for (let i = 0; i < 20; i += 1) next();
  return next;
}
