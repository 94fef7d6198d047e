import { describe, expect, it } from '@jest/globals';
import { firstPace, type Pace, paced } from './pace.ts';

const bounds = { least: 10, most: 100, targetMs: 100 };
const NOW = 1_000_000;
const after = (pace: Pace, times: readonly number[], niceRatio?: number): Pace =>
  times.reduce(
    (before, tookMs) =>
      paced(before, { documents: before.size, tookMs }, bounds, { at: NOW, niceRatio }),
    pace,
  );

describe('the pace of a run', () => {
  it('begins within its bounds', () => {
    expect([5, 50, 500].map((size) => firstPace(size, bounds).size)).toEqual([10, 50, 100]);
  });

  it('rests as long as the last batch took, times the nice ratio', () => {
    expect(after(firstPace(100, bounds), [80], 1.5).restMs).toBe(120);
    expect(after(firstPace(100, bounds), [80]).restMs).toBe(0);
  });

  it('does not make batches smaller because they take long to find', () => {
    const batch = { documents: 50, tookMs: 2_000, workMs: 40 };
    expect(paced(firstPace(50, bounds), batch, bounds, { at: NOW }).size).toBe(60);
    expect(paced(firstPace(50, bounds), { ...batch, workMs: 200 }, bounds, { at: NOW }).size).toBe(
      23,
    );
  });

  it('is stopped by batches that stay slow when they cannot be smaller', () => {
    const slow = after(firstPace(10, bounds), [900, 900, 900, 900, 900]);
    expect(slow.slow).toEqual({
      until: NOW + 10_000,
      message:
        '95 % of batches take up to 900 ms, though they cannot be smaller than 10; 100 ms are wanted.',
    });
  });

  it('is tried again after that rest, for as many batches', () => {
    const slow = after(firstPace(10, bounds), [900, 900, 900, 900, 900]);
    expect(after(slow, [900]).slow).toBeUndefined();
    expect(after(slow, [900, 900, 900, 900, 900]).slow).toBeDefined();
  });

  it('is not stopped by large batches that are slow: they become smaller', () => {
    const large = after(firstPace(100, bounds), [5_000]);
    expect([large.size, large.slow]).toEqual([10, undefined]);
  });

  it('is not stopped by one slow batch in twenty', () => {
    const times = Array.from({ length: 19 }, () => 150);
    expect(after(firstPace(10, bounds), [...times, 5_000]).slow).toBeUndefined();
  });
});
