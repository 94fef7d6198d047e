import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, messageOf } from '@tidegate/kernel';
import { AliveReports } from './alive.http.ts';
import { backOff } from './back-off.ts';
import type { SdkErrorCode } from './errors.ts';
import type { FlagSink, FlagSource } from './flag-source.port.ts';
import { concernsRollout, type FlagChange } from './local-flags.ts';
import type { Settings } from './options.ts';
import { pollSnapshot } from './poll.http.ts';
import type { Advice } from './request.http.ts';
import { readStream } from './stream.sse.ts';
import type { StreamEvent } from './stream-event.ts';
import type { ReadStates } from './read-snapshot.ts';

/** What is refused stays so until a person acts: the waits go on growing up to this. */
const LONGEST_REFUSED_RETRY_MS = 60_000;

/** When, by the clock of `performance`, a stream may be asked for. */
interface Polling {
  readonly everyMs: number;
  readonly until: number;
}

/**
 * Flags from flag-service: over one stream after the other, or polled, where that is wanted or the server has no
 * stream to give. One thing after the other: there is never more than one connection for flags.
 */
export class HttpFlagSource implements FlagSource {
  readonly #settings: Settings;
  readonly #sink: FlagSink;
  readonly #alive: AliveReports;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  /** Tries in a row that came to nothing: no snapshot, no stream that lasted until its first heartbeat. */
  #attempt = 0;
  #polling: Polling | undefined;
  /** The server waits for the first word of this instance. */
  #hasToTell = true;

  constructor(settings: Settings, sink: FlagSink) {
    this.#settings = settings;
    this.#sink = sink;
    this.#alive = new AliveReports(settings, sink);
    if (settings.mode === 'poll')
      this.#polling = { everyMs: settings.pollIntervalMs, until: Infinity };
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#running, this.#alive.close()]);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const waitMs = await this.#turn(signal);
      if (signal.aborted) return;
      // Unref'd: waiting for a server must not keep a program alive that is done. Aborted: closed.
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** One stream, as long as it lasts, or one poll; then the time to wait. */
  async #turn(signal: AbortSignal): Promise<number> {
    const polling = this.#polling;
    try {
      if (!polling || performance.now() >= polling.until) return await this.#stream(signal);
      this.#sync(await pollSnapshot(this.#settings, this.#sink.digest, signal));
      this.#attempt = 0;
      return untilNext(polling);
    } catch (error) {
      return signal.aborted ? 0 : this.#failed(named(error));
    }
  }

  async #stream(signal: AbortSignal): Promise<never> {
    let isSynced = false;
    return await readStream(this.#settings, this.#sink.digest, signal, (event) => {
      if (event.kind === 'sync') isSynced = true;
      this.#take(event, isSynced);
    });
  }

  #take(event: StreamEvent, isSynced: boolean): void {
    switch (event.kind) {
      case 'sync':
        this.#polling = undefined;
        this.#sync(event);
        break;
      case 'change':
        this.#told(event, this.#sink.apply(event.states));
        break;
      case 'heartbeat':
        this.#attempt = 0;
        if (isSynced) this.#sink.heard();
        break;
      case 'unknown':
    }
  }

  #sync(read: ReadStates): void {
    const changes = this.#sink.sync(read.states);
    const isAwaited = this.#hasToTell;
    this.#hasToTell = false;
    this.#told(read, changes, isAwaited);
  }

  #told({ problems }: ReadStates, changes: readonly FlagChange[], isAwaited = false): void {
    if (isAwaited || changes.some(concernsRollout)) this.#alive.tell();
    for (const problem of problems) this.#sink.failed(new AppError('SDK_MESSAGE_INVALID', problem));
  }

  #failed(error: AppError<SdkErrorCode>): number {
    const { pollEveryMs, retryAfterMs = 0 } = error.data as Advice;
    const random = Math.random();
    const atEarliestMs = retryAfterMs * (1 + random / 5);
    if (pollEveryMs !== undefined) return this.#pollMeanwhile(error, pollEveryMs, atEarliestMs);
    this.#sink.failed(error);
    const isRefused = error.code === 'SDK_REFUSED';
    if (isRefused) this.#hasToTell = true;
    const waits = isRefused ? whenRefused(this.#settings) : this.#settings;
    const waitMs = backOff(this.#attempt, random, waits);
    this.#attempt += 1;
    return Math.max(waitMs, atEarliestMs);
  }

  /** Told once, not again for every stream that is not to be had. */
  #pollMeanwhile(error: AppError<SdkErrorCode>, everyMs: number, forMs: number): number {
    if (!this.#polling) this.#sink.failed(error);
    this.#polling = { everyMs, until: performance.now() + Math.max(forMs, everyMs) };
    return 0;
  }
}

const whenRefused = ({ longestRetryMs }: Settings) => ({
  firstRetryMs: longestRetryMs,
  longestRetryMs: Math.max(longestRetryMs, LONGEST_REFUSED_RETRY_MS),
});

/** Within a tenth of the interval, so that instances which started together drift apart. */
const untilNext = ({ everyMs, until }: Polling): number =>
  Math.min(everyMs * (0.9 + Math.random() / 5), Math.max(0, until - performance.now()));

const named = (error: unknown): AppError<SdkErrorCode> =>
  error instanceof AppError
    ? (error as AppError<SdkErrorCode>)
    : new AppError('SDK_STREAM_ENDED', `The stream broke off: ${messageOf(error)}`, {
        retryable: true,
        cause: error,
      });
