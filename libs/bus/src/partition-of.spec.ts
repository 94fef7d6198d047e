import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { murmur2, partitionOf } from './partition-of.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** The definition again, in arbitrary precision. Source: Apache Kafka, Utils.murmur2. */
function slowMurmur2(data: Uint8Array): number {
  const m = 0x5b_d1_e9_95n;
  const u32 = (value: bigint) => BigInt.asUintN(32, value);
  let h = u32(0x97_47_b2_8cn ^ BigInt(data.length));
  const whole = Math.floor(data.length / 4) * 4;
  for (let at = 0; at < whole; at += 4) {
    let k = 0n;
    for (let byte = 3; byte >= 0; byte -= 1) k = (k << 8n) | BigInt(data[at + byte] ?? 0);
    k = u32(k * m);
    k ^= k >> 24n;
    h = u32(h * m) ^ u32(k * m);
  }
  let tail = 0n;
  for (let at = data.length - 1; at >= whole; at -= 1) tail = (tail << 8n) | BigInt(data[at] ?? 0);
  if (data.length > whole) h = u32((h ^ tail) * m);
  h = u32((h ^ (h >> 13n)) * m);
  return Number(BigInt.asIntN(32, h ^ (h >> 15n)));
}

describe('where a key goes', () => {
  it.each([
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ])('hashes %s as the clients of Kafka do', (text, hash) => {
    expect(murmur2(bytes(text))).toBe(hash);
  });

  it('agrees with the definition for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
        expect(murmur2(data)).toBe(slowMurmur2(data));
      }),
    );
  });

  it('is one of the partitions, and always the same one', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 100 }), (key, partitions) => {
        const partition = partitionOf(key, partitions);
        expect(partition).toBe(partitionOf(key, partitions));
        expect(partition).toBeGreaterThanOrEqual(0);
        expect(partition).toBeLessThan(partitions);
      }),
    );
  });

  it('is the first partition without a key', () => {
    expect(partitionOf(null, 6)).toBe(0);
  });
});
