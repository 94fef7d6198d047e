import { describe, expect, it } from '@jest/globals';
import { logEvidenceRateAbove, priorFor } from '@tidegate/statistics';
import fc from 'fast-check';
import { assess } from './assess.ts';
import type { CountsSince, Facts } from './facts.ts';
import { compared, counted, errorRate, fresh } from './policies.memory.ts';
import type { SequentialPolicy } from './policy.ts';

/** Park and Miller's generator: the same draws for the same seed, everywhere. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('the mixture over starts', () => {
  /** The definition, slow and obvious: a test that begins with every window, weighted as it was fixed beforehand. */
  function slowly(windows: readonly (readonly [number, number])[], horizon: number): number {
    const weight = (start: number): number => {
      if (start === 0) return horizon === 1 ? 0.95 : 0.5;
      if (start < horizon) return 0.45 / (horizon - 1);
      return (0.05 * horizon) / (start * (start + 1));
    };
    let mixed = 1;
    for (let start = 0; start < windows.length; start += 1) {
      const [errors, trials] = windows
        .slice(start)
        .reduce<readonly [number, number]>(([a, b], [bad, total]) => [a + bad, b + total], [0, 0]);
      const e = Math.exp(logEvidenceRateAbove({ errors, trials, limit: 0.01, ...priorFor(0.01) }));
      mixed += weight(start) * (e - 1);
    }
    return Math.log(mixed);
  }

  it('agrees with its definition', () => {
    const windows = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.integer({ min: 5, max: 200 })), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(windows, fc.integer({ min: 1, max: 40 }), (windows, horizon) => {
        const { logE } = assess({ ...errorRate, horizon }, factsOf(windows));
        expect(logE).toBeCloseTo(slowly(windows, horizon), 9);
      }),
    );
  });

  it('only loses by starts that are not kept', () => {
    const windows = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.integer({ min: 5, max: 200 })), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(windows, fc.nat(), (windows, dropped) => {
        const whole = factsOf(windows);
        const since = whole.since?.filter(({ start }) => start !== 1 + (dropped % windows.length));
        const policy = { ...errorRate, horizon: 20 };
        const less = assess(policy, { ...whole, since: since ?? [] }).logE ?? 0;
        expect(less).toBeLessThanOrEqual((assess(policy, whole).logE ?? 0) + 1e-12);
      }),
    );
  });
});

const factsOf = (windows: readonly (readonly [number, number])[]): Facts => ({
  ...fresh,
  since: sinceOf(windows.map(([bad, total]) => ({ start: 0, bad, total }))),
  window: windows.length - 1,
});

/** Sums from every window on. */
function sinceOf(windows: readonly CountsSince[]): CountsSince[] {
  const result: CountsSince[] = [];
  for (const [start, window] of [...windows.entries()].reverse()) {
    const later = result[0];
    const { baseline: one } = window;
    const baseline = one && {
      bad: one.bad + (later?.baseline?.bad ?? 0),
      total: one.total + (later?.baseline?.total ?? 0),
      expected: one.expected + (later?.baseline?.expected ?? 0),
    };
    result.unshift({
      start,
      bad: window.bad + (later?.bad ?? 0),
      total: window.total + (later?.total ?? 0),
      ...(baseline ? { baseline } : {}),
    });
  }
  return result;
}

describe('over a whole stage, looked at after every window', () => {
  const STAGE = 40;
  const REQUESTS = 50;
  const RISK = 0.2;
  type Draw = (random: () => number, window: number) => CountsSince;

  const errorsOf = (random: () => number, trials: number, rate: number): number =>
    Array.from({ length: trials }, random).filter((draw) => draw < rate).length;

  /** In how many of these stages the guard breaches, and after how many windows on average. */
  function breaches(policy: SequentialPolicy, draw: Draw, stages: number, seed: number): number {
    const random = lehmer(seed);
    let breached = 0;
    for (let stage = 0; stage < stages; stage += 1) {
      const windows: CountsSince[] = [];
      for (let window = 0; window < STAGE; window += 1) {
        windows.push(draw(random, window));
        const facts = { ...fresh, since: sinceOf(windows), window };
        if (assess(policy, facts).outcome !== 'breach') continue;
        breached += 1;
        break;
      }
    }
    return breached;
  }

  const limited = { ...errorRate, limit: 0.02, detect: 0.04, risk: RISK, horizon: STAGE };
  const alone =
    (rate: (window: number) => number): Draw =>
    (random, window) => ({
      start: 0,
      bad: errorsOf(random, REQUESTS, rate(window)),
      total: REQUESTS,
    });

  it('a healthy canary at the very limit breaches with at most the risk', () => {
    const breached = breaches(
      limited,
      alone(() => 0.02),
      60,
      20_260_101,
    );
    expect(breached).toBeLessThanOrEqual(60 * RISK);
    expect(breached).toBeGreaterThan(0);
  });

  it('a regression is found, from the start and late', () => {
    expect(
      breaches(
        limited,
        alone(() => 0.1),
        20,
        7,
      ),
    ).toBe(20);
    expect(
      breaches(
        limited,
        alone((window) => (window < 30 ? 0.01 : 0.15)),
        20,
        8,
      ),
    ).toBe(20);
  });

  /** The canary has a fifth of the requests; now and then everything fails six times as often on both sides. */
  const inTwoArms =
    (times: number): Draw =>
    (random) => {
      const rate = random() < 0.1 ? 0.12 : 0.02;
      const bad = errorsOf(random, REQUESTS, rate * times);
      const theirs = errorsOf(random, 4 * REQUESTS, rate);
      const baseline = { bad: theirs, total: 4 * REQUESTS, expected: (bad + theirs) * 0.2 };
      return { start: 0, bad, total: REQUESTS, baseline };
    };
  const comparing = { ...compared, margin: 0, detect: 2, risk: RISK, horizon: STAGE };

  it('bursts that both arms share break no comparison, and a worse canary is found in them', () => {
    const breached = breaches(comparing, inTwoArms(1), 60, 9);
    expect(breached).toBeLessThanOrEqual(60 * RISK);
    expect(breaches(comparing, inTwoArms(4), 20, 10)).toBe(20);
    // Against a limit in between the same bursts do.
    expect(breaches({ ...limited, limit: 0.025 }, inTwoArms(1), 40, 11)).toBeGreaterThan(40 * RISK);
  });

  it('a recorded baseline from the same service breaches with at most the risk, record and test together', () => {
    const random = lehmer(12);
    const policy = { ...comparing, baseline: 'recorded', limit: null } as const;
    let breached = 0;
    for (let rollout = 0; rollout < 60; rollout += 1) {
      const recorded = { bad: errorsOf(random, 2_000, 0.02), total: 2_000 };
      const windows: (readonly [number, number])[] = [];
      for (let window = 0; window < STAGE; window += 1) {
        windows.push([errorsOf(random, REQUESTS, 0.02), REQUESTS]);
        if (assess(policy, { ...factsOf(windows), recorded }).outcome !== 'breach') continue;
        breached += 1;
        break;
      }
    }
    expect(breached).toBeLessThanOrEqual(60 * RISK);
  });
});

it('the same counts are judged the same, in however many pieces they came', () => {
  const pieces = Array.from({ length: 100 }, (_, i) => [i % 10 === 0 ? 1 : 0, 12] as const);
  const [first] = factsOf(pieces).since ?? [];
  expect(first).toEqual(counted(10, 1_200).since?.[0]);
});
