import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { increase, type Snapshot } from './delta.ts';

const at = (at: number, values: Record<string, number>): Snapshot => ({ at, values });

describe('the increase between two scrapes', () => {
  it('is the sum over the series', () => {
    expect(increase(at(1, { a: 10, b: 5 }), at(2, { a: 12, b: 5 }))).toEqual({
      kind: 'counted',
      increase: 2,
      resets: 0,
      snapshot: at(2, { a: 12, b: 5 }),
    });
  });

  it('is nothing at the first scrape: nobody knows when that was counted', () => {
    expect(increase(undefined, at(1, { a: 1_000 }))).toMatchObject({ kind: 'first', increase: 0 });
  });

  it('counts a restarted counter from zero', () => {
    expect(increase(at(1, { a: 100, b: 7 }), at(2, { a: 3, b: 0 }))).toMatchObject({
      increase: 3,
      resets: 2,
    });
  });

  it('counts a new series from zero, as the scrape before lacked it', () => {
    expect(increase(at(1, { a: 10 }), at(2, { a: 10, b: 4 }))).toMatchObject({
      increase: 4,
      resets: 0,
    });
  });

  it('does not count a series again that was gone for a while', () => {
    const gone = increase(at(1, { a: 10, b: 4 }), at(2, { a: 11 }));
    expect(gone).toMatchObject({ increase: 1, snapshot: at(2, { a: 11, b: 4 }) });
    expect(increase(gone.snapshot, at(3, { a: 11, b: 6 }))).toMatchObject({ increase: 2 });
    expect(increase(gone.snapshot, at(3, { a: 11, b: 1 }))).toMatchObject({
      increase: 1,
      resets: 1,
    });
  });

  it('is nothing for the same scrape again', () => {
    const before = at(2, { a: 10 });
    expect(increase(before, at(2, { a: 10 }))).toEqual({
      kind: 'repeated',
      increase: 0,
      resets: 0,
      snapshot: before,
    });
  });

  it('is nothing for an older scrape, which would look like a restart', () => {
    const before = at(2, { a: 10 });
    expect(increase(before, at(1, { a: 8 }))).toEqual({
      kind: 'earlier',
      increase: 0,
      resets: 0,
      snapshot: before,
    });
  });

  it('adds up to what happened, through restarts, new and vanishing series and gaps', () => {
    // Each event counts in one process; a restart begins all counters of a target anew; a scrape may be missed.
    const event = fc.oneof(
      fc.record({ series: fc.constantFrom('a', 'b', 'c'), by: fc.integer({ min: 1, max: 9 }) }),
      fc.constantFrom('scrape', 'scrape', 'restart-after-scrape'),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let counters: Record<string, number> = {};
        let truth = 0;
        let counted = 0;
        let known = increase(undefined, at(0, {})).snapshot;
        let clock = 0;
        const scrape = () => {
          clock += 1;
          const next = increase(known, at(clock, counters));
          counted += next.increase;
          known = next.snapshot;
        };
        for (const each of events) {
          if (each === 'scrape') scrape();
          else if (each === 'restart-after-scrape') {
            // Zeroes are written out, as a restarted process may outgrow its former values unseen otherwise.
            scrape();
            counters = Object.fromEntries(Object.keys(counters).map((series) => [series, 0]));
            scrape();
          } else {
            counters = { ...counters, [each.series]: (counters[each.series] ?? 0) + each.by };
            truth += each.by;
          }
        }
        scrape();
        expect(counted).toBe(truth);
      }),
    );
  });

  it('never counts more than happened, also where a restart goes unseen', () => {
    const scrapes = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(scrapes, (growths) => {
        // Before every second scrape the process restarts unseen.
        let value = 0;
        let truth = 0;
        let counted = 0;
        let known = at(0, { a: 0 });
        for (const [index, growth] of growths.entries()) {
          if (index % 2 === 1) value = 0;
          value += growth;
          truth += growth;
          const next = increase(known, at(index + 1, { a: value }));
          counted += next.increase;
          known = next.snapshot;
        }
        expect(counted).toBeLessThanOrEqual(truth);
      }),
    );
  });
});
