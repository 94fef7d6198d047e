import { hash } from 'node:crypto';

/**
 * An RFC 6962 Merkle tree that grows leaf by leaf. Written for the verifier alone, from the RFC: a mistake in
 * the program that writes archives must not be repeated here.
 */
export class Tree {
  /** By height: the complete subtree of 2^height leaves that waits for its right neighbour. */
  readonly #waiting: (Buffer | undefined)[] = [];
  #size = 0;

  /** The tree of `size` leaves with these complete subtrees, the largest first; undefined if they are not so many. */
  static of(size: number, peaks: readonly Buffer[]): Tree | undefined {
    const tree = new Tree();
    const smallestFirst = [...peaks].reverse();
    let rest = size;
    for (let height = 0; rest > 0; height += 1) {
      if (rest % 2 === 1) {
        const peak = smallestFirst.shift();
        if (peak?.length !== 32) return undefined;
        tree.#waiting[height] = peak;
      }
      rest = Math.floor(rest / 2);
    }
    tree.#size = size;
    return smallestFirst.length === 0 ? tree : undefined;
  }

  get size(): number {
    return this.#size;
  }

  add(leaf: Buffer): void {
    let carried = leaf;
    let height = 0;
    for (;;) {
      const left = this.#waiting[height];
      if (left === undefined) break;
      carried = nodeHash(left, carried);
      this.#waiting[height] = undefined;
      height += 1;
    }
    this.#waiting[height] = carried;
    this.#size += 1;
  }

  /** Base64. */
  root(): string {
    let right: Buffer | undefined;
    for (const left of this.#waiting)
      if (left) right = right === undefined ? left : nodeHash(left, right);
    return (right ?? hash('sha256', '', 'buffer')).toString('base64');
  }

  copy(): Tree {
    const tree = new Tree();
    tree.#waiting.push(...this.#waiting);
    tree.#size = this.#size;
    return tree;
  }
}

const pair = Buffer.alloc(65, 1);

function nodeHash(left: Buffer, right: Buffer): Buffer {
  left.copy(pair, 1);
  right.copy(pair, 33);
  return hash('sha256', pair, 'buffer');
}
