import type { LineManifest } from './record-line.ts';

interface Reached {
  readonly incarnation: number;
  readonly next: bigint;
}

/**
 * Every partition of the bus is recorded without a break: offsets follow each other, or a gap says which are
 * missing. Keeps one number for each partition.
 */
export class Continuity {
  readonly #reached = new Map<string, Reached>();
  #isLost = false;

  /** A record is missing or not what it was: from here on nothing can be said. */
  lose(): void {
    this.#isLost = true;
  }

  /** False if the record does not follow the one before it in its partition. */
  follows({ kind, origin, missing }: LineManifest): boolean {
    if (this.#isLost) return true;
    const partition = `${origin.topic}/${origin.partition}`;
    const { incarnation } = origin;
    const offset = BigInt(origin.offset);
    const reached = this.#reached.get(partition) ?? { incarnation, next: 0n };
    if (kind === 'gap') {
      const ends = missing === null || missing === undefined;
      // after a gap without an end the partition goes on anywhere, in a later incarnation
      const next = ends ? -1n : offset + BigInt(missing);
      this.#reached.set(partition, { incarnation, next });
    } else this.#reached.set(partition, { incarnation, next: offset + 1n });
    return reached.next === -1n
      ? incarnation > reached.incarnation
      : incarnation === reached.incarnation && offset === reached.next;
  }
}
