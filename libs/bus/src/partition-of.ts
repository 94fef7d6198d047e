const M = 0x5b_d1_e9_95;
const utf8 = new TextEncoder();
const scratch = new Uint8Array(512);

/** MurmurHash2, 32 bit, seed 0x9747b28c: what Kafka's own clients place keys by (Utils.murmur2). Returns a signed integer. */
export function murmur2(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const whole = data.length - (data.length % 4);
  let h = 0x97_47_b2_8c ^ data.length;
  for (let at = 0; at < whole; at += 4) {
    let k = Math.imul(view.getInt32(at, true), M);
    k = Math.imul(k ^ (k >>> 24), M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = data.length % 4;
  if (rest === 3) h ^= view.getUint8(whole + 2) << 16;
  if (rest >= 2) h ^= view.getUint8(whole + 1) << 8;
  if (rest >= 1) h = Math.imul(h ^ view.getUint8(whole), M);
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}

/** The partition of a key, 0 … partitions − 1, as Kafka's default partitioner has it; records without a key go to 0. */
export const partitionOf = (key: string | null, partitions: number): number =>
  partitions === 1 || key === null ? 0 : (murmur2(bytesOf(key)) & 0x7f_ff_ff_ff) % partitions;

/** Into the scratch if it is sure to fit: an allocation would cost more than the hash. */
const bytesOf = (key: string): Uint8Array =>
  key.length * 3 <= scratch.length
    ? scratch.subarray(0, utf8.encodeInto(key, scratch).written)
    : utf8.encode(key);
