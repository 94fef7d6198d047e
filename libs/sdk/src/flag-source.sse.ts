import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, messageOf } from '@tidegate/kernel';
import { AliveReports } from './alive.http.ts';
import { backOff } from './back-off.ts';
import type { SdkErrorCode } from './errors.ts';
import type { FlagSink, FlagSource } from './flag-source.port.ts';
import { concernsRollout, type FlagChange } from './local-flags.ts';
import type { Settings } from './options.ts';
import { readStream } from './stream.sse.ts';
import type { FlagsEvent, StreamEvent } from './stream-event.ts';

/** Flags from flag-service's stream, over connection after connection. */
export class SseFlagSource implements FlagSource {
  readonly #settings: Settings;
  readonly #sink: FlagSink;
  readonly #alive: AliveReports;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  /** Connections in a row that did not last until their first heartbeat. */
  #attempt = 0;
  #hasSynced = false;

  constructor(settings: Settings, sink: FlagSink) {
    this.#settings = settings;
    this.#sink = sink;
    this.#alive = new AliveReports(settings, sink.applied, sink.failed);
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#running, this.#alive.close()]);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#connect(signal);
      if (signal.aborted) return;
      const waitMs = backOff(this.#attempt, Math.random(), this.#settings);
      this.#attempt += 1;
      // Unref'd: waiting for a server must not keep a program alive that is done. Aborted: closed.
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const digest = this.#hasSynced ? this.#sink.digest : undefined;
    let isSynced = false;
    try {
      await readStream(this.#settings, digest, signal, (event) => {
        if (event.kind === 'sync') isSynced = true;
        this.#take(event, isSynced);
      });
    } catch (error) {
      if (!signal.aborted) this.#sink.failed(named(error));
    }
  }

  #take(event: StreamEvent, isSynced: boolean): void {
    switch (event.kind) {
      case 'sync':
        this.#told(event, this.#sink.sync(event.flags));
        break;
      case 'change':
        this.#told(event, this.#sink.apply(event.flags));
        break;
      case 'heartbeat':
        this.#attempt = 0;
        if (isSynced) this.#sink.heard();
        break;
      case 'unknown':
    }
  }

  #told({ kind, problems }: FlagsEvent, changes: readonly FlagChange[]): void {
    const isFirst = kind === 'sync' && !this.#hasSynced;
    if (isFirst) this.#hasSynced = true;
    if (isFirst || changes.some(concernsRollout)) this.#alive.tell();
    for (const problem of problems) this.#sink.failed(new AppError('SDK_MESSAGE_INVALID', problem));
  }
}

const named = (error: unknown): AppError<SdkErrorCode> =>
  error instanceof AppError
    ? (error as AppError<SdkErrorCode>)
    : new AppError('SDK_STREAM_ENDED', `The stream broke off: ${messageOf(error)}`, {
        retryable: true,
        cause: error,
      });
