import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { count, MOST_WINDOWS, noWindows, sum, type Windows } from './windows.ts';

const counted = (entries: readonly (readonly [sinceMs: number, bad: number, total: number])[]) =>
  entries.reduce<Windows>(
    (windows, [sinceMs, bad, total]) => count(windows, sinceMs, bad, total),
    noWindows(5_000),
  );
const entry = fc.tuple(
  fc.integer({ min: 0, max: 100_000_000 }),
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: 0, max: 5_000 }),
);

describe('windows', () => {
  it('keep counts apart by the time since the stage opened', () => {
    expect(
      counted([
        [0, 1, 10],
        [4_999, 1, 10],
        [5_000, 0, 7],
        [17_000, 2, 3],
      ]),
    ).toEqual({
      widthMs: 5_000,
      counts: [
        [2, 20],
        [0, 7],
        [0, 0],
        [2, 3],
      ],
    });
  });

  it('double their width and add up neighbours when time goes beyond the last', () => {
    const before = counted(Array.from({ length: MOST_WINDOWS }, (_, i) => [i * 5_000, i % 2, 10]));
    expect(before.counts).toHaveLength(MOST_WINDOWS);
    const after = count(before, MOST_WINDOWS * 5_000, 1, 10);
    expect(after.widthMs).toBe(10_000);
    expect(after.counts).toEqual([
      ...Array.from({ length: MOST_WINDOWS / 2 }, () => [1, 20]),
      [1, 10],
    ]);
  });

  it('lose nothing, are never more than the limit, and do not depend on the order', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 50 }), fc.nat(), (entries, seed) => {
        const windows = counted(entries);
        expect(windows.counts.length).toBeLessThanOrEqual(MOST_WINDOWS);
        expect(sum(windows)).toEqual([
          entries.reduce((all, [, bad]) => all + bad, 0),
          entries.reduce((all, [, , total]) => all + total, 0),
        ]);
        const moved = [...entries.slice(seed % 7), ...entries.slice(0, seed % 7)].reverse();
        expect(counted(moved)).toEqual(windows);
      }),
    );
  });

  it('count what lies before the opening as its beginning, and have a width in any plan', () => {
    expect(count(noWindows(0), -1, 1, 2)).toEqual({ widthMs: 1_000, counts: [[1, 2]] });
  });
});
