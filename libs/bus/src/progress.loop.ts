import type { Clock } from '@tidegate/kernel';
import type { PartitionLag, RawRecord } from './bus.port.ts';
import type { LoopLog, Place, Position } from './log.port.ts';

/** How far one group has got in one partition. */
export class Progress {
  readonly place: Place;
  readonly #log: LoopLog;
  readonly #clock: Clock;
  #next: number;
  #lastProgressAt: number | undefined;

  constructor(log: LoopLog, clock: Clock, { next, ...place }: Position) {
    this.place = place;
    this.#log = log;
    this.#clock = clock;
    this.#next = next;
  }

  behind({ origin }: RawRecord): Position {
    return { ...this.place, next: Number(origin.offset) + 1 };
  }

  moveBehind(record: RawRecord): void {
    this.#next = Number(record.origin.offset) + 1;
    this.#lastProgressAt = this.#clock.now();
    this.#log.move(this.place, this.#next);
  }

  lag(waitingFor: string | undefined): PartitionLag {
    const { topic, partition } = this.place;
    const { start, end } = this.#log.bounds(topic, partition);
    const [oldest] = this.#log.read(topic, partition, this.#next, 1, 1);
    return {
      ...this.place,
      records: end - Math.max(this.#next, start),
      ageMs: oldest ? Math.max(0, this.#clock.now() - oldest.recordedAt) : 0,
      ...(waitingFor === undefined ? {} : { waitingFor }),
      ...(this.#lastProgressAt === undefined ? {} : { lastProgressAt: this.#lastProgressAt }),
    };
  }
}
