import type { Clock, Random } from '@tidegate/kernel';
import type { RawRecord } from './bus.port.ts';
import { backOff, type DeliveryPolicy } from './delivery-policy.ts';
import { asBusError } from './errors.ts';
import type { LoopLog } from './log.port.ts';
import type { Timer } from './timer.port.ts';
import { definitionOfTopic } from './topic.ts';

/** A partition and the offset to read on from. */
export interface Spot {
  readonly topic: string;
  readonly partition: number;
  next: number;
}

export interface Surroundings {
  readonly log: LoopLog;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly random: Random;
  readonly policy: DeliveryPolicy;
  /** A partition waits for longer than the lag deadline, or lost records: whom it concerns must know. */
  lagging(topic: string, message: string): void;
}

/** What one reader holds in memory at most: the rest stays in the log until it is asked for. */
const BATCH_BYTES = 1_000_000;

/** Reads partitions in order, waits for their next records without polling, and can be stopped at any time. */
export class Reader {
  readonly #around: Surroundings;
  readonly #spots: readonly Spot[];
  readonly #limit: number;
  readonly #unlisten: readonly (() => void)[];
  #state: 'busy' | 'waiting' | 'paused' | 'stopped' = 'busy';
  #resume: (() => void) | undefined;
  #hasRead = false;
  #turn = 0;
  #waitingFor: string | undefined;
  #reportedSince: number | undefined;

  constructor(around: Surroundings, spots: readonly Spot[], limit: number) {
    this.#around = around;
    this.#spots = spots;
    this.#limit = limit;
    this.#unlisten = spots.map(({ topic, partition }) =>
      around.log.onAppend(topic, partition, () => {
        if (this.#state === 'waiting') this.#resume?.();
      }),
    );
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  /** False while something is being read or handled. */
  get isIdle(): boolean {
    return this.#state !== 'busy';
  }

  /** The code of the failure that is being waited out. */
  get waitingFor(): string | undefined {
    return this.#waitingFor;
  }

  /** The next records, at least one; none once stopped. */
  async batch(): Promise<readonly RawRecord[]> {
    if (this.#hasRead) await new Promise(setImmediate);
    while (!this.isStopped) {
      let records: readonly RawRecord[] = [];
      await this.insist(() => {
        records = this.#read();
      });
      this.#hasRead = records.length > 0;
      if (this.#hasRead) return this.isStopped ? [] : records;
      await this.#rest('waiting');
    }
    return [];
  }

  /** Runs until it works or the reader is stopped, at least once; true if it worked. */
  async insist(run: () => unknown): Promise<boolean> {
    const since = this.#around.clock.now();
    for (let failed = 1; ; failed += 1) {
      try {
        await run();
        return true;
      } catch (error) {
        if (this.isStopped) return false;
        const { code, message } = asBusError(error);
        await this.waitOut({ code, message, failed, since });
        if (this.isStopped) return false;
      }
    }
  }

  /** Waits as long as the policy says after so many failures; tells once if they go on beyond the lag deadline. */
  async waitOut(failure: {
    code: string;
    message: string;
    failed: number;
    since: number;
    inMs?: number;
  }): Promise<void> {
    const { policy, clock, random } = this.#around;
    const inMs = failure.inMs ?? backOff({ failed: failure.failed, random: random.next() }, policy);
    const waitedMs = clock.now() - failure.since;
    const topic = this.#spots[0]?.topic ?? '';
    if (waitedMs >= policy.lagDeadlineMs && this.#reportedSince !== failure.since) {
      this.#reportedSince = failure.since;
      this.#around.lagging(topic, `has waited ${waitedMs} ms: ${failure.message}`);
    }
    this.#waitingFor = failure.code;
    await this.#rest('paused', inMs);
    this.#waitingFor = undefined;
  }

  stop(): void {
    this.#state = 'stopped';
    for (const unlisten of this.#unlisten) unlisten();
    this.#resume?.();
  }

  async #rest(state: 'waiting' | 'paused', ms?: number): Promise<void> {
    if (this.isStopped) return;
    this.#state = state;
    let cancel: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
      if (ms !== undefined) cancel = this.#around.timer.after(ms, resolve);
    });
    cancel?.();
    this.#resume = undefined;
    if (this.#state === state) this.#state = 'busy';
  }

  /** Begins with another partition each time, so that a busy one does not starve the others. */
  #read(): readonly RawRecord[] {
    const { log } = this.#around;
    const found: RawRecord[] = [];
    let bytes = 0;
    this.#turn = (this.#turn + 1) % this.#spots.length;
    for (let index = 0; index < this.#spots.length; index += 1) {
      const spot = this.#spots[(this.#turn + index) % this.#spots.length];
      if (!spot || found.length >= this.#limit || bytes >= BATCH_BYTES) break;
      const { topic, partition, next } = spot;
      const left = this.#limit - found.length;
      const records = log.read(topic, partition, next, left, BATCH_BYTES - bytes);
      if (records[0]) this.#noticeGap(spot, Number(records[0].origin.offset));
      for (const record of records) bytes += record.record.value?.byteLength ?? 0;
      spot.next = Number(records.at(-1)?.origin.offset ?? next - 1) + 1;
      found.push(...records);
    }
    return found;
  }

  #noticeGap({ topic, partition, next }: Spot, found: number): void {
    if (found === next || this.#around.log.hasGaps === true) return;
    if (definitionOfTopic(topic)?.cleanup === 'compact') return;
    this.#around.lagging(
      topic,
      `lost ${found - next} records of partition ${partition}: retention removed them unhandled.`,
    );
  }
}
