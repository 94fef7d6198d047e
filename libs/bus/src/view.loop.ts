import type { BusReport, ViewSource } from './bus.port.ts';
import { busError } from './errors.ts';
import { Reader, type Surroundings } from './reader.loop.ts';
import { applyRecord } from './apply-record.ts';

const BATCH = 200;

/** Reads a compacted topic from its start into a reducer, and goes on. */
export class ViewLoop {
  readonly reader: Reader;
  readonly caughtUp: Promise<void>;
  readonly #source: ViewSource;
  readonly #report: (report: BusReport) => void;
  readonly #done: Promise<void>;

  constructor(around: Surroundings, source: ViewSource, report: (report: BusReport) => void) {
    const { log } = around;
    const { topic } = source;
    const spots = Array.from({ length: log.partitions(topic) }, (_, partition) => ({
      topic,
      partition,
      next: 0,
    }));
    const goals = spots.map((spot) => ({ spot, end: log.bounds(topic, spot.partition).end }));
    const hasCaughtUp = () => goals.every(({ spot, end }) => spot.next >= end);
    this.#source = source;
    this.#report = report;
    this.reader = new Reader(around, spots, BATCH);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.caughtUp = promise;
    // Whoever waits for it hears of the closing; nobody has to wait.
    promise.catch(() => undefined);
    this.#done = this.#run(() => {
      if (hasCaughtUp()) resolve();
    }).finally(() => {
      reject(busError('BUS_CLOSED', `The view of ${topic} was closed.`));
    });
  }

  get isReading(): boolean {
    return !this.reader.isStopped && this.reader.waitingFor === undefined;
  }

  close(): Promise<void> {
    this.reader.stop();
    return this.#done;
  }

  async #run(applied: () => void): Promise<void> {
    for (;;) {
      applied();
      const batch = await this.reader.batch();
      if (batch.length === 0) return;
      for (const { record } of batch) applyRecord(this.#source, record, this.#report);
    }
  }
}
