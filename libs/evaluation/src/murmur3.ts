const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

const utf8 = new TextEncoder();

/** Unsigned 32-bit MurmurHash3 (x86, 32 bit) of the UTF-8 bytes. Source: Austin Appleby, smhasher, MurmurHash3.cpp. */
export const murmur3 = (text: string, seed = 0): number => murmur3After('', seed)(text);

/**
 * Hashes prefix + text with the prefix taken in once; the returned function allocates nothing.
 * The prefix must not end between the halves of a surrogate pair; a lone half counts as U+FFFD.
 */
export function murmur3After(prefix: string, seed = 0): (text: string) => number {
  const hash = signedAfter(prefix, seed);
  return (text) => hash(text) >>> 0;
}

/** What `orderedMurmur3After` makes of the hash 0. */
export const LEAST = -(2 ** 31);

/** The hash less 2³¹, seed 0: in the same order, and small enough to be returned without allocation. */
export function orderedMurmur3After(prefix: string): (text: string) => number {
  const hash = signedAfter(prefix, 0);
  return (text) => hash(text) ^ LEAST;
}

function signedAfter(prefix: string, seed: number): (text: string) => number {
  const bytes = utf8.encode(prefix);
  const whole = bytes.length - (bytes.length % 4);
  let prefixHash = seed | 0;
  for (let i = 0; i < whole; i += 4) prefixHash = mix(prefixHash, wordAt(bytes, i));
  const rest = wordAt(bytes, whole);
  const restBits = (bytes.length - whole) * 8;
  return (text) => hashAfter(prefixHash, rest, restBits, bytes.length, text);
}

/**
 * `word` holds the bytes not yet mixed in, little-endian, in its lowest `bits` bits. Nearly all keys are ASCII: four
 * characters at a time then are four bytes.
 */
function hashAfter(
  hash: number,
  word: number,
  bits: number,
  bytesBefore: number,
  text: string,
): number {
  let i = 0;
  for (; i + 4 <= text.length; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    if ((a | b | c | d) > 0x7f) break;
    const four = a | (b << 8) | (c << 16) | (d << 24);
    hash = mix(hash, word | (four << bits));
    word = bits === 0 ? 0 : four >>> (32 - bits);
  }
  let left = 0;
  let leftBits = 0;
  for (let j = i; j < text.length; j += 1) {
    const unit = text.charCodeAt(j);
    if (unit > 0x7f) return hashRest(hash, word, bits, bytesBefore, text, i);
    left |= unit << leftBits;
    leftBits += 8;
  }
  word |= left << bits;
  if (bits + leftBits >= 32) {
    hash = mix(hash, word);
    word = bits === 0 ? 0 : left >>> (32 - bits);
  }
  return finish(hash ^ scramble(word), bytesBefore + text.length);
}

/** The same from character `i` on, one after another; those before are ASCII. */
function hashRest(
  hash: number,
  word: number,
  bits: number,
  bytesBefore: number,
  text: string,
  i: number,
): number {
  let length = bytesBefore + i;
  for (; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    const point = unit < 0x80 ? unit : (text.codePointAt(i) ?? 0);
    if (point > 0xffff) i += 1;
    const count = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    const bytes = point < 0x80 ? point : encoded(point);
    length += count;
    word |= bytes << bits;
    const filled = bits + count * 8;
    if (filled >= 32) {
      hash = mix(hash, word);
      word = bits === 0 ? 0 : bytes >>> (32 - bits);
    }
    bits = filled % 32;
  }
  return finish(hash ^ scramble(word), length);
}

/** UTF-8 of a code point from U+0080 on, first byte lowest. */
function encoded(point: number): number {
  if (point < 0x800) return 0xc0 | (point >> 6) | (continuation(point) << 8);
  if (point >= 0xd800 && point <= 0xdfff) return encoded(0xfffd);
  if (point < 0x10000)
    return 0xe0 | (point >> 12) | (continuation(point >> 6) << 8) | (continuation(point) << 16);
  return (
    0xf0 |
    (point >> 18) |
    (continuation(point >> 12) << 8) |
    (continuation(point >> 6) << 16) |
    (continuation(point) << 24)
  );
}

const continuation = (bits: number): number => 0x80 | (bits & 0x3f);

/** Up to four bytes, little-endian; what lies behind the end counts as 0. */
const wordAt = (bytes: Uint8Array, i: number): number =>
  (bytes[i] ?? 0) |
  ((bytes[i + 1] ?? 0) << 8) |
  ((bytes[i + 2] ?? 0) << 16) |
  ((bytes[i + 3] ?? 0) << 24);

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

const scramble = (word: number): number => Math.imul(rotate(Math.imul(word, C1), 15), C2);

const mix = (hash: number, word: number): number =>
  (Math.imul(rotate(hash ^ scramble(word), 13), 5) + 0xe6546b64) | 0;

function finish(hash: number, length: number): number {
  let h = hash ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
