import type { Bus, Running } from '@tidegate/bus';
import { AppError, type Clock } from '@tidegate/kernel';
import type { Leases } from '@tidegate/store';
import { setTimeout } from 'node:timers/promises';
import type { AuditErrorCode } from '../errors.ts';
import { nextOf } from '../record/cursor.ts';
import type { LogAppender } from './append.handler.ts';

export interface WriterOptions {
  /** Name of the lease and of the consumer group. */
  readonly group: string;
  /** Unique to this process. */
  readonly instance: string;
  readonly topics: readonly string[];
  readonly bus: Bus;
  readonly leases: Leases;
  readonly appender: LogAppender;
  readonly clock: Clock;
}

export const LEASE_MS = 15_000;
const MAX_BATCH = 1_000;
const LOOK_AGAIN_MS = 20;

/**
 * Holds the lease of the log, and while it does, puts what the bus has into it. The lease keeps others from
 * trying; that an entry's position is taken once keeps them from writing.
 */
export class LogWriter {
  readonly #options: WriterOptions;
  #running: Running | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get isWriting(): boolean {
    return this.#running !== undefined;
  }

  /** Takes or renews the lease, and begins or ends to write accordingly. To be called well within LEASE_MS. */
  async renew(): Promise<void> {
    const { appender, bus, group, instance, leases, topics } = this.#options;
    const token = await leases.claim(group, instance, LEASE_MS);
    if (token === undefined) return this.pause();
    if (this.#running) return;
    appender.forget();
    const { cursors } = await appender.state();
    this.#running = await bus.subscribeRaw({
      group,
      topics,
      maxBatch: MAX_BATCH,
      // Where the log ends, not where its group has got to: a restored log ends earlier.
      from: nextOf(cursors),
      handle: (batch) => appender.append(batch),
    });
  }

  /** Ends to write; what is under way is written first. */
  async pause(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }

  /** Lets another one write. */
  release(): Promise<void> {
    return this.#options.leases.release(this.#options.group, this.#options.instance);
  }

  /**
   * Waits until nothing is left in the bus that is not in the log, at most so long; returns how many are left.
   * Thrown AUDIT_NOT_WRITING.
   */
  async drain(atMostMs: number): Promise<number> {
    const { bus, clock, group } = this.#options;
    const deadline = clock.now() + atMostMs;
    for (;;) {
      if (!this.isWriting) throw notWriting();
      const lags = await bus.lag();
      const left = lags.reduce((sum, lag) => sum + (lag.group === group ? lag.records : 0), 0);
      if (left === 0 || clock.now() >= deadline) return left;
      await setTimeout(LOOK_AGAIN_MS);
    }
  }
}

const notWriting = (): AppError<AuditErrorCode> =>
  new AppError('AUDIT_NOT_WRITING', 'Another replica of this service writes the audit log now.', {
    retryable: true,
  });
