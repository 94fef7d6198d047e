/**
 * Bucket of a unit, floor(hash × total / 2³²). It keeps the order of hashes, so 5 of 100 and 5 000 of
 * 100 000 hold the same units. Source: flagd's integer fractional operator (open-feature/flagd#1909).
 * @param hash unsigned 32-bit integer
 * @param total 1 … 2²¹, so that hash × total is exact in a double
 */
export const bucket = (hash: number, total: number): number => Math.floor((hash * total) / 2 ** 32);
