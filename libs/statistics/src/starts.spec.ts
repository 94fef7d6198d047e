import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logEvidenceRateAbove, priorFor } from './rate.ts';
import { mixStarts, startWeights } from './starts.ts';

const limit = 0.3;
const WINDOWS = 6;

/** Errors in each window so far, of `perWindow` requests; the newest last. */
type Path = readonly number[];

/** The stage's evidence after these windows, from the starts that `keeps`. */
function evidence(path: Path, perWindow: number, horizon: number, keeps: Keeps): number {
  const newest = path.length - 1;
  const starts = path.flatMap((_, start) => {
    if (!keeps(start, newest)) return [];
    const errors = path.slice(start).reduce((sum, each) => sum + each, 0);
    const trials = perWindow * (path.length - start);
    return [{ start, logE: logEvidenceRateAbove({ errors, trials, limit, ...priorFor(limit) }) }];
  });
  return mixStarts(startWeights(horizon), starts, newest);
}
type Keeps = (start: number, newest: number) => boolean;
const all: Keeps = () => true;
/** The newest four, of the older ones every second, of the oldest every fourth. */
const thinned: Keeps = (start, newest) =>
  start % 2 ** Math.max(0, Math.floor(Math.log2((newest - start + 1) / 2))) === 0;

/** Calls back with every path of `windows` windows and its probability, when each request fails with `rate`. */
function everyPath(
  windows: number,
  rate: number,
  visit: (path: Path, chance: number) => void,
): void {
  const chances = [(1 - rate) ** 2, 2 * rate * (1 - rate), rate ** 2];
  const walk = (path: Path, chance: number): void => {
    visit(path, chance);
    if (path.length === windows) return;
    chances.forEach((each, errors) => walk([...path, errors], chance * each));
  };
  walk([], 1);
}

describe('the weights of the starts', () => {
  it.each([1, 2, 3, 12, 288, 40_320])('add up to one with a horizon of %i windows', (horizon) => {
    const weights = startWeights(horizon);
    let sum = 0;
    let worst = 0;
    for (let start = 0; start < horizon + 100; start += 1) {
      sum += weights.of(start);
      worst = Math.max(worst, Math.abs(sum + weights.after(start) - 1));
    }
    expect(worst).toBeLessThan(1e-9);
    expect(weights.after(1e12)).toBeLessThan(1e-7);
  });

  it('give the first start a half, the others within the stage 0.45, and the time after it 0.05', () => {
    const weights = startWeights(10);
    expect([0, 1, 9].map((start) => weights.of(start))).toEqual([
      0.5,
      expect.closeTo(0.05),
      expect.closeTo(0.05),
    ]);
    expect(weights.after(9)).toBeCloseTo(0.05, 12);
    expect(startWeights(1).of(0)).toBeCloseTo(0.95, 12);
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity])('refuse a horizon of %d', (horizon) => {
    expect(() => startWeights(horizon)).toThrow(
      expect.objectContaining({ code: 'STATISTICS_ARGUMENT' }),
    );
  });
});

describe('a test that starts anew in every window', () => {
  it.each([
    ['all starts', all, limit],
    ['all starts, below the limit', all, 0.1],
    ['thinned starts', thinned, limit],
  ])('is worth at most 1 on average after every window: %s', (_, keeps, rate) => {
    const means = new Map<number, number>();
    everyPath(WINDOWS, rate, (path, chance) => {
      if (path.length === 0) return;
      const worth = chance * Math.exp(evidence(path, 2, 4, keeps));
      means.set(path.length, (means.get(path.length) ?? 0) + worth);
    });
    expect(means.size).toBe(WINDOWS);
    for (const mean of means.values()) expect(mean).toBeLessThanOrEqual(1 + 1e-9);
    if (keeps === all && rate === limit) {
      for (const mean of means.values()) expect(mean).toBeCloseTo(1, 9);
    }
  });

  it.each([
    ['all starts', all],
    ['thinned starts', thinned],
  ])(
    'ever reaches 1/α with a probability of at most α, also long after the stage: %s',
    (_, keeps) => {
      for (const risk of [0.5, 0.2, 0.05]) {
        let crossed = 0;
        // Paths are left as soon as they cross.
        const walk = (path: Path, chance: number): void => {
          if (path.length > 0 && evidence(path, 2, 3, keeps) >= -Math.log(risk)) crossed += chance;
          else if (path.length < WINDOWS) {
            [0.49, 0.42, 0.09].forEach((each, errors) => walk([...path, errors], chance * each));
          }
        };
        walk([], 1);
        expect(crossed).toBeLessThanOrEqual(risk);
        expect(crossed).toBeGreaterThan(0);
      }
    },
  );

  it('need not win back a day of good evidence', () => {
    const day = Array.from({ length: 240 }, () => 3); // of 3 000 requests, where 6 are allowed
    const hour = Array.from({ length: 2 }, () => 30);
    const since = (from: number) => {
      const counted = [...day, ...hour].slice(from);
      const errors = counted.reduce((sum, each) => sum + each, 0);
      const counts = { errors, trials: 3_000 * counted.length, limit: 0.002, ...priorFor(0.002) };
      return { start: from, logE: logEvidenceRateAbove(counts) };
    };
    const starts = [...day, ...hour].map((_, from) => since(from));
    expect(starts[0]?.logE).toBeLessThan(0);
    expect(mixStarts(startWeights(288), starts, 241)).toBeGreaterThan(Math.log(100));
  });

  it('never falls below the weight that has not started, and never rises by leaving a start out', () => {
    const logs = fc.array(fc.double({ min: -1e6, max: 700, noNaN: true }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(
        logs,
        fc.integer({ min: 1, max: 100 }),
        fc.nat(39),
        (values, horizon, without) => {
          const weights = startWeights(horizon);
          const starts = values.map((logE, start) => ({ start, logE }));
          const mixed = mixStarts(weights, starts, values.length);
          expect(mixed).toBeGreaterThanOrEqual(Math.log(weights.after(values.length)));
          const fewer = starts.filter(({ start }) => start !== without);
          expect(mixStarts(weights, fewer, values.length)).toBeLessThanOrEqual(mixed + 1e-12);
        },
      ),
    );
  });

  it('does not overflow, whatever the evidence', () => {
    const starts = [-1e9, 0, 1e9].map((logE, start) => ({ start, logE }));
    expect(mixStarts(startWeights(3), starts, 2)).toBeCloseTo(1e9 + Math.log(0.225), 6);
  });

  it.each([
    [[{ start: 1 }, { start: 1 }], 2],
    [[{ start: 2 }, { start: 1 }], 2],
    [[{ start: 3 }], 2],
    [[{ start: -1 }], 2],
    [[{ start: 0.5 }], 2],
  ])('refuses the starts %j in window %i', (starts, window) => {
    const given = starts.map((each) => ({ ...each, logE: 0 }));
    expect(() => mixStarts(startWeights(3), given, window)).toThrow(
      expect.objectContaining({ code: 'STATISTICS_ARGUMENT' }),
    );
  });
});
