import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Found, markText, readMark, placedAt, resumeAt } from './resume-at.ts';

const found: Found = {
  own: undefined,
  committed: undefined,
  low: 0,
  high: 100,
  isRewound: false,
  now: 1_790_000_000_000,
};
const own = { next: 40, incarnation: 7, wasCommitted: true };

describe('where a group goes on in a partition', () => {
  it('is the beginning for a new group, in an incarnation of this second', () => {
    expect(resumeAt({ ...found, low: 3 })).toEqual({
      next: 3,
      incarnation: 1_790_000_000,
      lost: 0,
      isRemade: false,
    });
  });

  it('is what was committed, in the incarnation that was', () => {
    expect(resumeAt({ ...found, committed: { next: 30, incarnation: 7 } })).toMatchObject({
      next: 30,
      incarnation: 7,
      isRemade: false,
    });
  });

  it('is behind what this process has handled, though its commit did not arrive', () => {
    expect(resumeAt({ ...found, own, committed: { next: 30, incarnation: 7 } }).next).toBe(40);
  });

  it('is behind what another member has handled since', () => {
    expect(resumeAt({ ...found, own, committed: { next: 60, incarnation: 7 } }).next).toBe(60);
  });

  it('counts what retention removed unhandled', () => {
    expect(resumeAt({ ...found, low: 50, committed: { next: 30, incarnation: 7 } })).toMatchObject({
      next: 50,
      lost: 20,
      isRemade: false,
    });
  });

  it.each<[string, Partial<Found>]>([
    ['ends before what was handled', { committed: { next: 101, incarnation: 7 } }],
    ['lost what was committed with it', { own }],
    ['was seen to begin again', { own, committed: { next: 40, incarnation: 7 }, isRewound: true }],
  ])('is the beginning of another incarnation when the log %s', (_what, change) => {
    expect(resumeAt({ ...found, low: 2, ...change })).toMatchObject({
      next: 2,
      incarnation: 1_790_000_000,
      isRemade: true,
    });
  });

  it('takes an offset that an operator has set', () => {
    expect(resumeAt({ ...found, committed: { next: 12 } })).toMatchObject({ next: 12, lost: 0 });
  });

  it('does not take a commit that never arrived for one that is gone', () => {
    const uncommitted = { ...own, wasCommitted: false };
    expect(resumeAt({ ...found, own: uncommitted })).toMatchObject({ next: 40, isRemade: false });
  });

  it('never begins before what is kept, nor behind the end, and never lowers the incarnation', () => {
    const offset = fc.nat(200);
    fc.assert(
      fc.property(offset, offset, offset, offset, fc.boolean(), (a, b, low, more, isRewound) => {
        const high = low + more;
        const committed = { next: b, incarnation: 9 };
        const result = resumeAt({
          ...found,
          own: { ...own, next: a },
          committed,
          low,
          high,
          isRewound,
        });
        expect(result.next).toBeGreaterThanOrEqual(low);
        expect(result.next).toBeLessThanOrEqual(high);
        expect(result.incarnation > 9).toBe(result.isRemade);
      }),
    );
  });
});

describe('the mark beside a committed offset', () => {
  it('says what was written', () => {
    const attempt = fc.option(fc.record({ offset: fc.nat(), count: fc.nat() }), { nil: undefined });
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), attempt, (incarnation, isOpen, tried) => {
        const mark = { incarnation, isOpen, ...(tried ? { attempt: tried } : {}) };
        expect(readMark(markText(mark))).toEqual(mark);
      }),
    );
  });

  it.each([null, '', 'by hand', '{"i":-1}'])('is none where %j stands', (text) => {
    expect(readMark(text)).toBeUndefined();
  });
});

describe('a reader that keeps its own position', () => {
  const place = { topic: 'flag.events', partition: 2 };
  const from = [{ ...place, incarnation: 7, offset: 40n }];

  it('goes on there, wherever its group has got to', () => {
    expect(placedAt(from, place, { next: 90, incarnation: 7 })).toEqual({
      next: 40,
      incarnation: 7,
    });
    expect(placedAt(from, place, undefined)).toEqual({ next: 40, incarnation: 7 });
  });

  it('begins at the beginning where it has none, or one from before the topic was made anew', () => {
    expect(placedAt([], place, { next: 90, incarnation: 7 })).toEqual({ next: -1, incarnation: 7 });
    expect(placedAt(from, { ...place, partition: 3 }, undefined)).toEqual({ next: -1 });
    expect(placedAt(from, place, { next: 3, incarnation: 8 })).toEqual({
      next: -1,
      incarnation: 8,
    });
  });
});
