import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { progressOf } from './progress.ts';

const total = (matched: number) => ({ matched, changed: matched, skipped: 0, mismatched: 0 });
const rate = { at: 0, documents: 250, ms: 5_000 };
const work = { action: 'execute' as const, total: total(250), expected: 1_000, rate };

describe('progress', () => {
  it('tells the share, the rate and what is left', () => {
    expect(progressOf(work)).toEqual({
      done: 250,
      expected: 1_000,
      share: 0.25,
      perSecond: 50,
      leftMs: 15_000,
    });
  });

  it('says only what is known', () => {
    expect(progressOf({ ...work, expected: undefined })).toEqual({ done: 250, perSecond: 50 });
    expect(progressOf({ ...work, total: total(0), rate: undefined })).toEqual({
      done: 0,
      expected: 1_000,
      share: 0,
    });
    expect(progressOf({ ...work, action: 'plan' })).toBeUndefined();
  });

  it('of a run that undoes is of what it had done', () => {
    const reverting = { code: 'X', message: 'x', before: total(500) };
    expect(progressOf({ ...work, reverting })).toMatchObject({ expected: 500, share: 0.5 });
  });

  it('is never more than whole, never negative, and whole only when all is done', () => {
    const count = fc.nat(1e7);
    fc.assert(
      fc.property(count, count, count, (done, expected, ms) => {
        const found = progressOf({
          ...work,
          total: total(done),
          expected,
          rate: { at: 0, documents: done, ms },
        });
        expect(found?.share).toBeLessThanOrEqual(1);
        expect(found?.share).toBeGreaterThanOrEqual(0);
        expect(found?.share === 1).toBe(done >= expected);
        expect(found?.leftMs ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
