import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bucket } from './bucket.ts';

const hash = fc.integer({ min: 0, max: 0xffffffff });
const total = fc.integer({ min: 1, max: 2 ** 21 });
const slowBucket = (h: number, n: number) => Number((BigInt(h) * BigInt(n)) >> 32n);

it('agrees with its definition for every hash and total', () => {
  fc.assert(fc.property(hash, total, (h, n) => bucket(h, n) === slowBucket(h, n)));
});

it('keeps the first and the last hash inside', () => {
  fc.assert(
    fc.property(total, (n) => {
      expect(bucket(0, n)).toBe(0);
      expect(bucket(0xffffffff, n)).toBe(n - 1);
    }),
  );
});

it('holds the same units for 5 of 100 as for 5 000 of 100 000', () => {
  fc.assert(
    fc.property(hash, fc.integer({ min: 0, max: 100 }), (h, percent) => {
      expect(bucket(h, 100) < percent).toBe(bucket(h, 100_000) < percent * 1_000);
    }),
  );
});
