/** A sum of values of any size and kind, the same in whatever order they come. */
export interface Sum {
  add(value: string | number | bigint | boolean | null): void;
  /** Digits; `text:` and a checksum where texts were added. */
  readonly words: () => string;
}

const HASHES = 2n ** 64n;

export function createSum(): Sum {
  let whole = 0n;
  let part = 0;
  let lost = 0; // of `part`, to rounding (Neumaier)
  let texts: bigint | undefined;
  const addPart = (value: number): void => {
    const next = part + value;
    lost += Math.abs(part) >= Math.abs(value) ? part - next + value : value - next + part;
    part = next;
  };
  return {
    add(value) {
      if (typeof value === 'string') texts = ((texts ?? 0n) + hash(value)) % HASHES;
      else if (typeof value === 'bigint') whole += value;
      else if (typeof value === 'boolean') whole += value ? 1n : 0n;
      else if (Number.isSafeInteger(value)) whole += BigInt(value ?? 0);
      else if (value !== null) addPart(value);
    },
    words: () => {
      const digits = part === 0 && lost === 0 ? String(whole) : inAll(whole, part + lost);
      if (texts === undefined) return digits;
      const checksum = `text:${texts.toString(16).padStart(16, '0')}`;
      return digits === '0' ? checksum : `${digits} and ${checksum}`;
    },
  };
}

/** The last digits of a sum of fractions depend on the order; they are left out. */
const inAll = (whole: bigint, part: number): string =>
  String(Number((Number(whole) + part).toPrecision(12)));

/** FNV-1a over UTF-16 units, 64 bits. */
function hash(text: string): bigint {
  let [high, low] = [0xcbf29ce4, 0x84222325];
  for (let at = 0; at < text.length; at += 1) {
    low ^= text.charCodeAt(at);
    // × 0x100000001b3 in two halves, each product exact in a double
    const product = (low >>> 0) * 0x1b3;
    high = (Math.imul(high, 0x1b3) + ((low << 8) >>> 0) + Math.floor(product / 2 ** 32)) >>> 0;
    low = product >>> 0;
  }
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}
