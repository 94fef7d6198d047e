import type { RawRecord } from './bus.port.ts';
import type { Lot } from './lot.kafka.ts';
import type { Bounds, LoopLog, Place } from './log.port.ts';

/** What a group's member does for its loops. */
export interface Keeper {
  /** While the group is divided anew, nothing is taken in hand. */
  readonly isHeld: boolean;
  moved(lot: Lot): void;
  commitSoon(): void;
  /** Thrown BUS_UNREACHABLE. */
  commitNow(): Promise<void>;
}

/** The lots of one loop as the log that it reads. */
export class LotsLog implements LoopLog {
  readonly hasGaps = true;
  readonly #keeper: Keeper;
  readonly #lots: readonly Lot[];

  constructor(keeper: Keeper, lots: readonly Lot[]) {
    this.#keeper = keeper;
    this.#lots = lots;
  }

  partitions(topic: string): number {
    return this.#lots.filter((lot) => lot.topic === topic).length;
  }

  read(
    topic: string,
    partition: number,
    from: number,
    limit: number,
    maxBytes: number,
  ): readonly RawRecord[] {
    return this.#keeper.isHeld ? [] : this.#lot(topic, partition).read(from, limit, maxBytes);
  }

  bounds(topic: string, partition: number): Bounds {
    const { low, high } = this.#lot(topic, partition);
    return { start: low, end: high };
  }

  move({ topic, partition }: Place, next: number): void {
    const lot = this.#lot(topic, partition);
    lot.move(next);
    this.#keeper.moved(lot);
  }

  flush(): void {
    this.#keeper.commitSoon();
  }

  async beginAttempt({ topic, partition }: Place, offset: number): Promise<number> {
    const lot = this.#lot(topic, partition);
    const before = lot.attempt;
    const count = (before?.offset === offset ? before.count : 0) + 1;
    lot.attempt = { offset, count };
    try {
      await this.#keeper.commitNow();
    } catch (error) {
      lot.attempt = before;
      throw error;
    }
    return count;
  }

  endAttempt({ topic, partition }: Place): void {
    this.#lot(topic, partition).attempt = undefined;
  }

  onAppend(topic: string, partition: number, listener: () => void): () => void {
    return this.#lot(topic, partition).onAppend(listener);
  }

  #lot(topic: string, partition: number): Lot {
    const found = this.#lots.find((lot) => lot.topic === topic && lot.partition === partition);
    if (!found) throw new RangeError(`${topic} ${partition} is not of this loop.`);
    return found;
  }
}
