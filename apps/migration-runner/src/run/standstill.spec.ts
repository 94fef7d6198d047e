import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Standstill, standsStill, standstillAfter } from './standstill.ts';

/** What each sweep has left, and the first sweep after which the run stands still. */
function stillAfter(sweeps: readonly (readonly number[])[]): number | undefined {
  let known: Standstill | undefined;
  for (const [at, left] of sweeps.entries()) {
    const again = known?.keys.filter((key) => left.includes(Number(key))) ?? [];
    known = standstillAfter(known, { left: left.length, some: left.slice(0, 20), again });
    if (standsStill(known)) return at + 1;
  }
  return undefined;
}
const repeated = <T>(times: number, of: (at: number) => T): T[] =>
  Array.from({ length: times }, (_, at) => of(at));

describe('a run that sweeps', () => {
  it('stands still when five sweeps in a row leave the same documents', () => {
    expect(stillAfter(repeated(9, () => [3]))).toBe(5);
    expect(stillAfter(repeated(4, () => [3]))).toBeUndefined();
  });

  it('stands still also when programs insert beside what is turned back', () => {
    expect(stillAfter(repeated(9, (at) => [3, 4, 100 + at]))).toBe(5);
    expect(stillAfter(repeated(9, (at) => [3, ...repeated(at % 3, (nth) => 100 * at + nth)]))).toBe(
      5,
    );
  });

  it('gets on while fewer are left than ever before', () => {
    const falls = repeated(30, (at) => repeated(40 - at, (key) => key));
    expect(stillAfter(falls)).toBeUndefined();
    expect(stillAfter([...falls, ...repeated(4, () => falls[29] ?? [])])).toBe(34);
  });

  it('gets on where what is left was edited in some sweeps, not in each', () => {
    expect(stillAfter(repeated(60, (at) => (at % 5 === 4 ? [7] : [3])))).toBeUndefined();
  });

  it('gets on beside programs that insert old documents, however many and for however long', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 60 }),
        fc.boolean(),
        (counts, isBelow) => {
          let key = 0;
          const inserted = counts.map((count) =>
            repeated(count, () => (isBelow ? (key -= 1) : (key += 1))),
          );
          expect(stillAfter(inserted)).toBeUndefined();
        },
      ),
    );
  });
});
