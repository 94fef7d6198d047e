import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { murmur3, murmur3After } from './murmur3.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme-ascii' }),
  fc.string({ unit: 'binary' }),
  // Lone halves of surrogate pairs as well.
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);
const anySeed = fc.integer({ min: 0, max: 0xffffffff });

/** The definition once more: BigInt arithmetic over the bytes that TextEncoder makes. */
function slowMurmur3(text: string, seed: number): number {
  const U32 = 0xffffffffn;
  const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (32n - by))) & U32;
  const scramble = (k: bigint) => (rotate((k * 0xcc9e2d51n) & U32, 15n) * 0x1b873593n) & U32;
  const bytes = new TextEncoder().encode(text);
  let h = BigInt(seed);
  for (let i = 0; i < bytes.length; i += 4) {
    const block = bytes.slice(i, i + 4);
    const k = block.reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n);
    h ^= scramble(k);
    if (block.length === 4) h = (rotate(h, 13n) * 5n + 0xe6546b64n) & U32;
  }
  h ^= BigInt(bytes.length);
  h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & U32;
  h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & U32;
  return Number(h ^ (h >> 16n));
}

describe('murmur3', () => {
  // Published vectors: Wikipedia, "MurmurHash"; stackoverflow.com/a/31929528 (Ian Boyd).
  it.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['aa', 0x9747b28c, 0x5d211726],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['abc', 0, 0xb3dd93fa],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
    ['a'.repeat(256), 0x9747b28c, 0x37405bdc],
  ])('hashes "%s" with seed %i as published', (text, seed, hash) => {
    expect(murmur3(text, seed)).toBe(hash);
  });

  it('agrees with its definition for every text and seed', () => {
    fc.assert(
      fc.property(
        anyText,
        anySeed,
        (text, seed) => murmur3(text, seed) === slowMurmur3(text, seed),
      ),
      { numRuns: 2_000 },
    );
  });

  it('does not depend on where a salted key is cut', () => {
    fc.assert(
      fc.property(anyText, anyText, (salt, key) => {
        expect(murmur3After(`${salt}.`)(key)).toBe(murmur3(`${salt}.${key}`));
      }),
    );
  });
});
