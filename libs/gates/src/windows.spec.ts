import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { count, isKept, noWindows, sinceStarts, type Windows } from './windows.ts';

type Entry = readonly [sinceMs: number, bad: number, total: number];
const WIDTH = 5_000;
const counted = (entries: readonly Entry[], from = noWindows(WIDTH)): Windows =>
  entries.reduce((windows, [sinceMs, ...counts]) => count(windows, sinceMs, counts), from);
const entry = fc.tuple(
  fc.integer({ min: 0, max: 40_000 * WIDTH }),
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: 1, max: 5_000 }),
);
const entries = fc.array(entry, { maxLength: 30 });
/** As lists: start, bad, total. */
const sinces = (windows: Windows): number[][] =>
  sinceStarts(windows).map(({ start, bad, total }) => [start, bad, total]);
/** What happened from a window on, added up the slow way. */
const since = (all: readonly Entry[], start: number): number[] => {
  const such = all.filter(([sinceMs]) => Math.floor(sinceMs / WIDTH) >= start);
  return [such.reduce((n, [, bad]) => n + bad, 0), such.reduce((n, [, , total]) => n + total, 0)];
};

describe('windows', () => {
  it('keep counts apart by the time since the step began, and give what was counted since each', () => {
    const windows = counted([
      [0, 1, 10],
      [4_999, 1, 10],
      [5_000, 0, 7],
      [17_000, 2, 3],
    ]);
    expect(windows.rows).toEqual([
      [0, 2, 20],
      [1, 0, 7],
      [3, 2, 3],
    ]);
    expect(sinces(windows)).toEqual([
      [0, 4, 30],
      [1, 2, 10],
      [2, 2, 3],
      [3, 2, 3],
    ]);
  });

  it('count what lies before the opening as its beginning', () => {
    expect(counted([[-1, 1, 2]]).rows).toEqual([[0, 1, 2]]);
  });

  it('are those that the rule names: the newest 16, then ever fewer, and the first of all', () => {
    const starts = Array.from({ length: 300 }, (_, i) => i).filter((start) => isKept(start, 299));
    expect(starts.slice(-16)).toEqual(Array.from({ length: 16 }, (_, i) => 284 + i));
    expect(starts.slice(0, 8)).toEqual([0, 32, 48, 64, 80, 96, 112, 128]);
    expect(starts).toHaveLength(50);
  });

  it('are fewer than 90 for a hold time and stay few for months', () => {
    const kept = (newest: number): number => {
      const all = Array.from({ length: newest + 1 }, (_, start) => start);
      return all.filter((start) => isKept(start, newest)).length;
    };
    expect(kept(5_759)).toBeLessThan(90);
    expect(kept(1_600_000)).toBeLessThan(160);
  });

  it('that were dropped are never needed again', () => {
    const number = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(number, number, number, (start, age, more) => {
        if (!isKept(start, start + age)) expect(isKept(start, start + age + more)).toBe(false);
      }),
    );
  });

  it('sum up to all that was counted since each start, however they were thinned', () => {
    fc.assert(
      fc.property(entries, (all) => {
        const windows = counted(all);
        for (const [start, ...counts] of sinces(windows)) {
          expect(isKept(Number(start), windows.newest)).toBe(true);
          expect(counts).toEqual(since(all, Number(start)));
        }
        expect(sinces(windows)[0]?.slice(1)).toEqual(all.length ? since(all, 0) : undefined);
      }),
    );
  });

  it('do not depend on the order in which they were told, nor on how often they were thinned', () => {
    fc.assert(
      fc.property(entries, fc.infiniteStream(fc.nat()), (all, random) => {
        const moved = all
          .map((each) => ({ each, key: random.next().value as number }))
          .sort((a, b) => a.key - b.key);
        expect(counted(moved.map(({ each }) => each))).toEqual(counted(all));
      }),
    );
  });
});
