import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { perSecond, type Rate, rateAfter, rateFrom } from './rate.ts';

/** Batches of so many documents, each so long after the one before. */
const after = (batches: readonly (readonly [number, number])[], start = rateFrom(undefined, 0)) =>
  batches.reduce<Rate>(
    (rate, [documents, ms]) => rateAfter(rate, { documents, tookMs: ms }, rate.at + ms),
    start,
  );
const times = (count: number, batch: readonly [number, number]) =>
  Array.from({ length: count }, () => batch);

describe('the rate of a run', () => {
  it('is not known before the first batch', () => {
    expect(perSecond(rateFrom(undefined, 0))).toBeUndefined();
    expect(perSecond(after([[100, 0]]))).toBeUndefined();
  });

  it('is that of its batches while they are alike, whatever lies between them', () => {
    const batch = fc.tuple(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 60_000 }),
    );
    fc.assert(
      fc.property(batch, fc.integer({ min: 1, max: 200 }), ([documents, ms], count) => {
        expect(perSecond(after(times(count, [documents, ms])))).toBeCloseTo(
          (documents * 1_000) / ms,
          6,
        );
      }),
    );
  });

  it('is between the slowest and the fastest batch', () => {
    const batch = fc.tuple(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 60_000 }),
    );
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 50 }), (batches) => {
        const rates = batches.map(([documents, ms]) => (documents * 1_000) / ms);
        const found = perSecond(after(batches)) ?? NaN;
        expect(found).toBeGreaterThanOrEqual(Math.min(...rates) * (1 - 1e-9));
        expect(found).toBeLessThanOrEqual(Math.max(...rates) * (1 + 1e-9));
      }),
    );
  });

  it('follows a database that became slower within some minutes', () => {
    const fast = after(times(1_000, [1_000, 1_000]));
    expect(perSecond(after(times(300, [100, 1_000]), fast))).toBeLessThan(110);
  });

  it('leaves out the time in which the run was not to go on', () => {
    const before = after(times(10, [1_000, 1_000]));
    const resumed = rateFrom(before, before.at + 3_600_000);
    expect(perSecond(after(times(5, [1_000, 1_000]), resumed))).toBeCloseTo(1_000, 6);
  });

  it('takes a clock that was set back as no time', () => {
    const before = after(times(10, [1_000, 1_000]));
    const batch = { documents: 1_000, tookMs: 1_000 };
    expect(perSecond(rateAfter(before, batch, before.at - 3_600_000))).toBeGreaterThan(1_000);
  });

  it('counts rests, but not the hours in which there was no runner', () => {
    const before = after(times(100, [1_000, 1_000]));
    const batch = { documents: 1_000, tookMs: 1_000 };
    const rested = rateAfter(before, { ...batch, niceRatio: 20 }, before.at + 21_000);
    expect(rested.ms).toBeGreaterThan(before.ms * 0.7 + 20_000);
    const killed = rateAfter(before, batch, before.at + 10 * 3_600_000);
    expect(perSecond(after(times(180, [1_000, 1_000]), killed))).toBeGreaterThan(980);
  });
});
