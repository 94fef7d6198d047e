/**
 * Bucket of a unit, floor(hash × total / 2³²), exact. It keeps the order of hashes, so 5 of 100 and 5 000 of
 * 100 000 hold the same units. Source: flagd's integer fractional operator (open-feature/flagd#1909).
 * @param hash unsigned 32-bit integer
 * @param total 1 … 2³¹ − 1
 */
export function bucket(hash: number, total: number): number {
  if (total <= 2 ** 21) return Math.floor((hash * total) / 2 ** 32);
  // The product does not fit into a double: take the hash in two halves of 16 bits.
  const low = Math.floor(((hash & 0xffff) * total) / 2 ** 16);
  return Math.floor(((hash >>> 16) * total + low) / 2 ** 16);
}

/**
 * The least hash whose bucket is `share` or above, ceil(share × 2³² / total), exact: below it are the units of the
 * first `share` buckets. 2³² if there is none.
 * @param share 0 … total
 */
export function firstHash(share: number, total: number): number {
  if (share > 2 ** 21) {
    const whole = BigInt(total);
    return Number((BigInt(share) * 2n ** 32n + whole - 1n) / whole);
  }
  const product = share * 2 ** 32;
  const rest = product % total;
  return (product - rest) / total + (rest > 0 ? 1 : 0);
}
