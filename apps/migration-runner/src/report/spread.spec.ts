import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Key } from '../target/target.port.ts';
import { spaceOf } from './key-space.ts';
import { spreadFrom } from './spread.ts';

/** Asks a sorted list of keys as a database would be asked. */
function walk(keys: readonly Key[], wanted: number, most = 10_000) {
  const place = (key: Key) => spaceOf(key)?.place(key) ?? 0n;
  const spread = spreadFrom(keys[0] as Key);
  const found = [keys[0] as Key];
  let asked = 0;
  for (; found.length < wanted && asked < most; asked += 1) {
    const after = spread.next();
    if (after === undefined) break;
    const key = keys.find((each) =>
      spaceOf(each) === spaceOf(after)
        ? place(each) > place(after)
        : typeof each === 'string' && typeof after === 'number',
    );
    if (spread.met(key) && key !== undefined) found.push(key);
  }
  return { found, asked };
}

describe('a spread over keys', () => {
  const integers = fc.uniqueArray(fc.integer({ min: -1_000_000, max: 2 ** 52 }), {
    minLength: 1,
    maxLength: 40,
  });

  it('finds every key where all are wanted, whatever gaps there are', () => {
    fc.assert(
      fc.property(integers, (keys) => {
        const sorted = keys.toSorted((a, b) => a - b);
        expect(new Set(walk(sorted, keys.length).found)).toEqual(new Set(keys));
      }),
    );
  });

  it('leaves no wide gap, and asks for little more than it wants', () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => index + 1);
    const { found, asked } = walk(keys, 50);
    const sorted = (found as number[]).toSorted((a, b) => a - b);
    const gaps = [...sorted.slice(1), 10_000].map((key, index) => key - (sorted[index] as number));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(400);
    expect(asked).toBeLessThan(130);
  });

  it('spreads over keys of several types', () => {
    const ids = Array.from(
      { length: 50 },
      (_, index) => `$oid:${(index + 1).toString(16).padStart(24, '0')}`,
    );
    const { found } = walk([1, 2, 3, ...ids], 10);
    expect(found).toContain(1);
    expect(found.filter((key) => typeof key === 'string').length).toBeGreaterThan(5);
  });
});

describe('the place of a key', () => {
  it.each([
    ['$oid:000000000000000000000001', '$oid:64f000000000000000000000'],
    ['$uuid:00000000-0000-4000-8000-000000000000', '$uuid:64f00000-0000-4000-8000-000000000000'],
    ['$date:1960-01-01T00:00:00.000Z', '$date:2030-01-01T00:00:00.000Z'],
    ['$int:-90071992547409930', '$int:90071992547409930'],
    ['00000000-0000-4000-8000-000000000000', '64f00000-0000-4000-8000-000000000000'],
    ['1960-01-01T00:00:00.000Z', '2030-01-01T00:00:00.000Z'],
    [-5, 7.5],
    ['a', 'ab'],
    ['order-1', 'order-2'],
  ] as const)('is in the order of keys, and names a key between: %s, %s', (a, b) => {
    const space = spaceOf(a);
    if (!space) throw new Error('no space');
    expect(space.place(a)).toBeLessThan(space.place(b));
    const between = space.at((space.place(a) + space.place(b)) / 2n);
    expect(spaceOf(between)?.place(between)).toBeGreaterThanOrEqual(space.place(a));
    expect(spaceOf(between)?.place(between)).toBeLessThan(space.place(b));
  });

  it('is not known of a key that is of no type', () => {
    expect(spaceOf(Infinity)).toBeUndefined();
    expect(spaceOf('$oid:not-an-id')).toBeUndefined();
    expect(spaceOf('$bson:EAAAAA==')).toBeUndefined();
  });
});
