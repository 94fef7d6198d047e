import { HASH_BYTES, nodeHash } from './merkle.ts';

/** Leaves `from` … `to - 1`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const lengthOf = ({ from, to }: Span): number => to - from;

/** The largest power of two that is smaller than `n`, for n ≥ 2. */
function halfOf(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

function split(span: Span): readonly [Span, Span] {
  const middle = span.from + halfOf(lengthOf(span));
  return [
    { from: span.from, to: middle },
    { from: middle, to: span.to },
  ];
}

/**
 * The subtrees whose hashes prove that leaf `index` stands in the tree of `size` leaves: PATH of RFC 6962
 * §2.1.1, from the leaf up. Needs 0 ≤ index < size.
 */
export function inclusionSpans(index: number, size: number): readonly Span[] {
  const path = (span: Span): Span[] => {
    if (lengthOf(span) === 1) return [];
    const [left, right] = split(span);
    return index < left.to ? [...path(left), right] : [...path(right), left];
  };
  return path({ from: 0, to: size });
}

/**
 * The subtrees whose hashes prove that the tree of `size` leaves begins with the one of `old`: PROOF of
 * RFC 6962 §2.1.2. Needs 0 < old ≤ size.
 */
export function consistencySpans(old: number, size: number): readonly Span[] {
  const subproof = (span: Span, whole: boolean): Span[] => {
    if (old === span.to) return whole ? [] : [span];
    const [left, right] = split(span);
    return old <= left.to ? [...subproof(left, whole), right] : [...subproof(right, false), left];
  };
  return subproof({ from: 0, to: size }, true);
}

/** The complete subtrees that a span of a proof falls into, the largest first. */
export function completeSpans(span: Span): readonly Span[] {
  const spans: Span[] = [];
  for (let { from } = span; from < span.to;) {
    let length = 1;
    while (length * 2 <= span.to - from) length *= 2;
    spans.push({ from, to: from + length });
    from += length;
  }
  return spans;
}

/** True if `proof` leads from the leaf to the root. Source: RFC 9162 §2.1.3.2. */
export function verifyInclusion(
  claim: { leaf: Buffer; index: number; size: number; root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (claim.index >= claim.size || claim.leaf.length !== HASH_BYTES) return false;
  let fn = claim.index;
  let sn = claim.size - 1;
  let r = claim.leaf;
  for (const p of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(p, r);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else r = nodeHash(r, p);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && r.equals(claim.root);
}

/** True if `proof` shows that the second tree begins with the first. Source: RFC 9162 §2.1.4.2. */
export function verifyConsistency(
  first: { size: number; root: Buffer },
  second: { size: number; root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (first.size < 1 || first.size > second.size) return false;
  if (first.size === second.size) return proof.length === 0 && first.root.equals(second.root);
  const [start, ...rest] = isPowerOfTwo(first.size) ? [first.root, ...proof] : proof;
  if (!start) return false;
  let fn = first.size - 1;
  let sn = second.size - 1;
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  let fr = start;
  let sr = start;
  for (const c of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(c, fr);
      sr = nodeHash(c, sr);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else sr = nodeHash(sr, c);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && fr.equals(first.root) && sr.equals(second.root);
}

const half = (n: number): number => Math.floor(n / 2);
const isPowerOfTwo = (n: number): boolean => n === 1 || halfOf(n) * 2 === n;
