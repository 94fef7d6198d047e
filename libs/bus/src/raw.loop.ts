import { afterAwake } from './after-awake.ts';
import type { BusReport, PartitionLag, RawSubscription } from './bus.port.ts';
import type { Position } from './log.port.ts';
import { Progress } from './progress.loop.ts';
import { Reader, type Surroundings } from './reader.loop.ts';

export interface RawLane extends Surroundings {
  report(report: BusReport): void;
}

/** Delivers whole batches of raw records, one after another; one that fails is tried until it works. */
export class RawLoop {
  readonly reader: Reader;
  readonly #lane: RawLane;
  readonly #subscription: RawSubscription;
  readonly #progress: readonly Progress[];
  readonly #done: Promise<void>;

  constructor(lane: RawLane, subscription: RawSubscription, positions: readonly Position[]) {
    this.#lane = lane;
    this.#subscription = subscription;
    this.#progress = positions.map((position) => new Progress(lane.log, lane.clock, position));
    const spots = positions.map((position) => ({ ...position }));
    this.reader = new Reader(lane, spots, subscription.maxBatch);
    this.#done = this.#run();
  }

  lag(): readonly PartitionLag[] {
    return this.#progress.map((progress) => progress.lag(this.reader.waitingFor));
  }

  stop(): Promise<void> {
    this.reader.stop();
    return this.#done;
  }

  async #run(): Promise<void> {
    for (;;) {
      const batch = await this.reader.batch();
      if (batch.length === 0) return;
      if (!(await this.reader.insist(() => this.#handle(batch)))) return;
      const newest = new Map(batch.map((raw) => [keyOf(raw.origin), raw]));
      for (const progress of this.#progress) {
        const raw = newest.get(keyOf(progress.place));
        if (raw) progress.moveBehind(raw);
      }
    }
  }

  async #handle(batch: Parameters<RawSubscription['handle']>[0]): Promise<void> {
    const { group } = this.#subscription;
    const { deadlineMs } = this.#lane.policy;
    const cancel = afterAwake(this.#lane.timer, deadlineMs, () => {
      const topic = batch[0]?.origin.topic ?? '';
      const message = `A batch of ${batch.length} has been in handling for ${deadlineMs} ms.`;
      this.#lane.report({ kind: 'stuck', group, topic, message });
    });
    try {
      await this.#subscription.handle(batch);
    } finally {
      cancel();
    }
  }
}

const keyOf = ({ topic, partition }: { topic: string; partition: number }): string =>
  `${topic} ${partition}`;
