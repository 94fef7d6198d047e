import { hash } from 'node:crypto';

/**
 * Merkle trees as RFC 6962 §2.1 defines them, over SHA-256:
 *
 *     MTH({})     = SHA-256()
 *     MTH({d})    = SHA-256(0x00 ‖ d)                        a leaf
 *     MTH(D[n])   = SHA-256(0x01 ‖ MTH(D[0:k]) ‖ MTH(D[k:n]))   k: the largest power of two below n
 *
 * A frontier is all that must be kept to go on: the hashes of the complete subtrees that n leaves fall
 * into, one for each bit of n that is set, the largest first.
 */
export interface Frontier {
  readonly size: number;
  readonly peaks: readonly Buffer[];
}

/** A complete subtree: the `index`-th with 2^level leaves. */
export interface Node {
  readonly level: number;
  readonly index: number;
  readonly hash: Buffer;
}

export const HASH_BYTES = 32;
const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer');
export const emptyFrontier: Frontier = { size: 0, peaks: [] };

/** Hash of a leaf whose data is a text in UTF-8. */
export const leafHash = (data: string): Buffer => hash('sha256', `\0${data}`, 'buffer');

const NODE_PREFIX = Buffer.of(1);

export const nodeHash = (left: Buffer, right: Buffer): Buffer =>
  hash('sha256', Buffer.concat([NODE_PREFIX, left, right]), 'buffer');

/** The frontier with one more leaf. `onNode` sees each subtree of two or more leaves that this completes. */
export function append(
  { size, peaks }: Frontier,
  leaf: Buffer,
  onNode?: (node: Node) => void,
): Frontier {
  const kept = [...peaks];
  let top = leaf;
  let level = 0;
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
    top = nodeHash(kept.pop() as Buffer, top);
    level += 1;
    onNode?.({ level, index: (size + 1) / 2 ** level - 1, hash: top });
  }
  return { size: size + 1, peaks: [...kept, top] };
}

/** The tree's root: its peaks, folded from the right. */
export const root = ({ peaks }: Frontier): Buffer =>
  peaks.length === 0 ? EMPTY_ROOT : foldPeaks(peaks);

/** Hash of the tree over complete subtrees that stand side by side, the largest first; at least one. */
export const foldPeaks = (peaks: readonly Buffer[]): Buffer =>
  peaks.reduceRight((right, left) => nodeHash(left, right));
