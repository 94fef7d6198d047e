import { describe, expect, it } from '@jest/globals';
import { flag, type FlagRecord } from '@tidegate/contracts';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { bucket, firstHash } from './bucket.ts';
import type { EvaluationContext } from './details.ts';
import { compile } from './evaluator.ts';
import { murmur3 } from './murmur3.ts';

const hash = fc.integer({ min: 0, max: 0xffffffff });
const total = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  fc.integer({ min: 1, max: 200 }),
  fc.integer({ min: 2 ** 21 - 5, max: 2 ** 21 + 5 }),
);
const slowBucket = (h: number, n: number) => Number((BigInt(h) * BigInt(n)) >> 32n);

it('agrees with its definition for every hash and total', () => {
  fc.assert(
    fc.property(hash, total, (h, n) => bucket(h, n) === slowBucket(h, n)),
    { numRuns: 10_000 },
  );
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

it('finds the first hash of every share exactly', () => {
  const shares = total.chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));
  fc.assert(
    fc.property(shares, ([share, n]) => {
      const first = firstHash(share, n);
      expect(first === 2 ** 32 || slowBucket(first, n) >= share).toBe(true);
      expect(first === 0 || slowBucket(first - 1, n) < share).toBe(true);
    }),
    { numRuns: 10_000 },
  );
});

// Computed apart from this code, for clients in other languages.
describe('the published vectors', () => {
  interface Vector {
    readonly salt: string;
    readonly unit: string;
    readonly hash: number;
    readonly bucket: number;
  }
  const file = new URL('../../../docs/bucketing-vectors.json', import.meta.url);
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as {
    exposure: Vector[];
    split: (Vector & { weights: { variant: string; weight: number }[]; variant: string })[];
    input: { input: string; hash: number; of100: number; of2147483647: number }[];
  };
  const variantsOf = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, name]));
  const flagOf = (salt: string, definition: object): FlagRecord => {
    const written = { type: 'string', defaultVariant: 'out', offVariant: 'out', ...definition };
    return { key: 'x', epoch: 1, version: 1, flag: flag.parse({ definition: written, salt }) };
  };
  const served = (record: FlagRecord, context: EvaluationContext) =>
    compile([record]).evaluate('x', '', context).variant;

  it.each(vectors.exposure)('exposure: $salt, $unit', (vector) => {
    expect(murmur3(`${vector.salt}.${vector.unit}`)).toBe(vector.hash);
    const open = (percentage: number) =>
      flagOf(vector.salt, {
        variants: variantsOf(['in', 'out']),
        exposure: { variant: 'in', percentage },
      });
    const context = { targetingKey: vector.unit };
    expect(served(open(vector.bucket), context)).toBe('out');
    expect(served(open(vector.bucket + 1), context)).toBe('in');
  });

  it.each(vectors.split)('split: $salt, $unit, $variant', (vector) => {
    const { salt, unit, weights } = vector;
    const whole = weights.reduce((sum, { weight }) => sum + weight, 0);
    expect(murmur3(`${salt}.variant.${unit}`)).toBe(vector.hash);
    expect(bucket(vector.hash, whole)).toBe(vector.bucket);
    const variants = variantsOf(['out', ...weights.map(({ variant }) => variant)]);
    const exposure = { variant: 'out', percentage: 0 };
    const byRule = flagOf(salt, { variants, exposure, rules: [{ split: { weights } }] });
    const covered = { variant: 'out', percentage: 100_000, split: weights };
    const byExposure = flagOf(salt, { variants, exposure: covered });
    expect(served(byRule, { targetingKey: unit })).toBe(vector.variant);
    expect(served(byExposure, { targetingKey: unit })).toBe(vector.variant);
  });

  it.each(vectors.input)('input: $input', (vector) => {
    expect(murmur3(vector.input)).toBe(vector.hash);
    expect(bucket(vector.hash, 100)).toBe(vector.of100);
    expect(bucket(vector.hash, 2 ** 31 - 1)).toBe(vector.of2147483647);
  });
});
