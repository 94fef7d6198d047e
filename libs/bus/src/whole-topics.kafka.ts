import type { Batch } from 'kafkajs';
import type { RawRecord } from './bus.port.ts';
import { type Assignment, Consumption, type ConsumptionOptions } from './consumption.kafka.ts';
import { asBusError, busError } from './errors.ts';
import { within } from './errors.kafka.ts';
import type { Bounds } from './log.port.ts';
import { recordOf } from './lot.kafka.ts';

export interface WholeTopicsOptions extends ConsumptionOptions {
  /** Records in order of their partitions, each once, from the beginning on. */
  apply(raw: RawRecord): void;
  failed(error: Error, sinceMs: number): void;
}

interface Spot {
  next: number;
  /** Where the partition ended when the reading began; undefined until that is known. */
  goal: number | undefined;
}

const PAUSE_MS = 500;

/** Reads topics from their beginning, alone in a group that commits nothing, and goes on. */
export class WholeTopics {
  /** Resolves once everything that stood in the topics in the beginning is applied. */
  readonly caughtUp: Promise<void>;
  readonly #options: WholeTopicsOptions;
  readonly #consumption: Consumption;
  readonly #spots = new Map<string, Spot>();
  readonly #caughtUp = Promise.withResolvers<void>();
  #areGoalsKnown = false;
  #isClosed = false;

  constructor(options: WholeTopicsOptions) {
    this.#options = options;
    this.caughtUp = this.#caughtUp.promise;
    // Whoever waits for it hears of the closing; nobody has to wait.
    this.caughtUp.catch(() => undefined);
    this.#consumption = new Consumption(options, {
      joined: (assignment) => {
        this.#joined(assignment);
      },
      rebalancing: () => undefined,
      topicGone: () => undefined,
      batch: (topic, batch) => {
        this.#take(topic, batch);
      },
      failed: options.failed,
    });
    this.#consumption.start();
  }

  get isReading(): boolean {
    return this.#consumption.isReading;
  }

  async close(reason: Error): Promise<void> {
    this.#isClosed = true;
    this.#caughtUp.reject(reason);
    await this.#consumption.stop();
  }

  /** Only who is behind asks: where the partitions end, and whether they are the same as before. */
  #joined(assignment: Assignment): void {
    const ask = async (): Promise<void> => {
      const { cluster } = this.#options;
      try {
        for (const [topic, partitions] of assignment) {
          const bounds = await cluster.bounds(topic);
          if (!this.#isClosed)
            for (const partition of partitions) this.#aim(topic, partition, bounds[partition]);
        }
        if (this.#isClosed) return;
        this.#areGoalsKnown = true;
        this.#check();
      } catch (error) {
        if (this.#isClosed) return;
        this.#options.failed(asBusError(error), 0);
        setTimeout(() => void ask(), PAUSE_MS).unref();
      }
    };
    void ask();
  }

  #aim(topic: string, partition: number, bounds: Bounds | undefined): void {
    const { start, end } = bounds ?? { start: 0, end: 0 };
    const spot = this.#spot(topic, partition);
    if (spot.next > end) spot.next = 0;
    spot.goal ??= end;
    if (spot.next === 0 && start === end) spot.next = end;
    if (spot.next > 0) this.#consumption.seek(topic, partition, spot.next);
  }

  #take(topic: string, batch: Batch): void {
    if (this.#isClosed) return;
    const { partition } = batch;
    const spot = this.#spot(topic, partition);
    const high = Number(batch.highWatermark);
    // Shorter than what was read of it: it was made anew.
    if (high < spot.next) spot.next = 0;
    for (const message of batch.messages) {
      const offset = Number(message.offset);
      if (offset < spot.next) continue;
      spot.next = offset + 1;
      this.#options.apply({
        origin: { topic, incarnation: 1, partition, offset: BigInt(offset) },
        recordedAt: Number(message.timestamp),
        record: recordOf(message),
      });
    }
    spot.next = Math.max(spot.next, Number(batch.lastOffset()) + 1);
    this.#check();
  }

  #check(): void {
    const spots = [...this.#spots.values()];
    if (this.#areGoalsKnown && spots.every(({ next, goal }) => next >= (goal ?? 0)))
      this.#caughtUp.resolve();
  }

  #spot(topic: string, partition: number): Spot {
    const key = `${topic} ${partition}`;
    const spot = this.#spots.get(key) ?? { next: 0, goal: undefined };
    this.#spots.set(key, spot);
    return spot;
  }
}

/** Hands over everything that stands in the topics now. Thrown BUS_UNREACHABLE when it takes too long. */
export async function scanTopics(options: Omit<WholeTopicsOptions, 'failed'>): Promise<void> {
  let failure: unknown;
  const failed = (error: Error): void => {
    failure = error;
  };
  const reading = new WholeTopics({ ...options, failed });
  const what = `reading ${options.topics.join(', ')}`;
  try {
    await within(options.budgets.join, what, reading.caughtUp);
  } catch (error) {
    throw failure ?? error;
  } finally {
    await reading.close(busError('BUS_CLOSED', 'The reading has ended.'));
  }
}
