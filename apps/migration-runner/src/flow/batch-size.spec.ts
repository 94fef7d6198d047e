import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Batch, sized, type SizeBounds, type Sizing } from './batch-size.ts';

const bounds = fc
  .tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 0, max: 95_000 }))
  .chain(([least, more]) =>
    fc.record({
      least: fc.constant(least),
      most: fc.constant(least + more),
      targetMs: fc.integer({ min: 10, max: 10_000 }),
    }),
  );
const world = bounds.chain((given) =>
  fc.record({
    bounds: fc.constant(given),
    size: fc.integer({ min: given.least, max: given.most }),
    tookMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
    otherMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
    costMs: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
  }),
);
const sizing = (size: number, costMs: number | undefined): Sizing =>
  costMs === undefined ? { size } : { size, costMs };
const next = (before: Sizing, batch: Batch, given: SizeBounds) => sized(before, batch, given).size;

describe('the size of the next batch', () => {
  it('is whole, within its bounds, and grows by no more than a fifth', () => {
    fc.assert(
      fc.property(world, ({ bounds: given, size, tookMs, costMs }) => {
        const found = next(sizing(size, costMs), { documents: size, tookMs }, given);
        expect(Number.isInteger(found)).toBe(true);
        expect(found).toBeGreaterThanOrEqual(given.least);
        expect(found).toBeLessThanOrEqual(Math.min(given.most, Math.ceil(size * 1.2)));
      }),
    );
  });

  it('is never greater after a slower batch', () => {
    fc.assert(
      fc.property(world, ({ bounds: given, size, tookMs, otherMs, costMs }) => {
        const [fast, slow] = [Math.min(tookMs, otherMs), Math.max(tookMs, otherMs)];
        const after = (ms: number) =>
          next(sizing(size, costMs), { documents: size, tookMs: ms }, given);
        expect(after(slow)).toBeLessThanOrEqual(after(fast));
      }),
    );
  });

  it('shrinks at once to what a batch that took too long can be done in', () => {
    const given = { least: 10, most: 10_000, targetMs: 1_000 };
    expect(next({ size: 10_000 }, { documents: 10_000, tookMs: 50_000 }, given)).toBe(185);
    expect(next({ size: 100 }, { documents: 100, tookMs: 60_000 }, given)).toBe(10);
  });

  it('stays where a batch takes what it should', () => {
    const given = { least: 10, most: 10_000, targetMs: 1_000 };
    expect(next({ size: 500 }, { documents: 500, tookMs: 930 }, given)).toBe(500);
  });

  it('grows from one, too', () => {
    expect(
      next({ size: 1 }, { documents: 1, tookMs: 1 }, { least: 1, most: 9, targetMs: 90 }),
    ).toBe(2);
  });

  it('comes to the target from wherever it began, while a document costs the same', () => {
    const cost = fc.double({ min: 0.05, max: 20, noNaN: true });
    fc.assert(
      fc.property(world, cost, ({ bounds: given, size }, costMs) => {
        let state: Sizing = { size };
        for (let batch = 0; batch < 80; batch += 1)
          state = sized(state, { documents: state.size, tookMs: state.size * costMs }, given);
        const ideal = given.targetMs / costMs;
        const wanted = Math.min(given.most, Math.max(given.least, ideal));
        // One document more or less may already be too much or too little.
        expect(state.size).toBeGreaterThanOrEqual(Math.floor(wanted * 0.9) - 1);
        expect(state.size).toBeLessThanOrEqual(Math.ceil(wanted) + 1);
      }),
    );
  });

  it('is small again at once in a database that got slow, and large again only step by step', () => {
    const given = { least: 10, most: 1_000, targetMs: 1_000 };
    const batches = (state: Sizing, count: number, costMs: number): Sizing =>
      count === 0
        ? state
        : batches(
            sized(state, { documents: state.size, tookMs: state.size * costMs }, given),
            count - 1,
            costMs,
          );
    const fast = batches({ size: 1_000 }, 10, 0.5);
    expect(fast.size).toBe(1_000);
    const slow = batches(fast, 1, 10);
    expect(slow.size).toBe(92);
    const better = batches(slow, 5, 0.5);
    expect(better.size).toBeLessThan(250);
    expect(batches(better, 20, 0.5).size).toBe(1_000);
  });
});
