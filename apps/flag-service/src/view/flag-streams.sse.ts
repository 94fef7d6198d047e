import type { ServerResponse } from 'node:http';
import { type EnvironmentFlags, streamEvent } from './environment-flags.ts';

export interface FlagStreamOptions {
  /** What a reader may leave unread, beside its snapshot. */
  readonly bufferBytes: number;
  readonly onSlowReader: () => void;
}

/** Who listens to the flags of an environment. What is written is made once per change, not once per listener. */
export class FlagStreams {
  readonly #options: FlagStreamOptions;
  readonly #writers = new Map<ServerResponse, (event: string) => void>();
  #isClosed = false;

  constructor(options: FlagStreamOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#writers.size;
  }

  /** @param digest of what the client holds already */
  connect(response: ServerResponse, flags: EnvironmentFlags, digest: string | undefined): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    const snapshot = flags.snapshot();
    const first =
      digest === snapshot.digest
        ? streamEvent('unchanged', JSON.stringify({ digest }))
        : streamEvent('snapshot', snapshot.text);
    const write = this.#writer(response, Buffer.byteLength(first) + this.#options.bufferBytes);
    const forget = flags.onChange(write);
    response.once('close', () => {
      forget();
      this.#writers.delete(response);
    });
    this.#writers.set(response, write);
    write(first);
    if (this.#isClosed) response.end();
  }

  /** Tells every listener that its connection lives. `at` in ms since 1970. */
  beat(at: number): void {
    const event = streamEvent('heartbeat', JSON.stringify({ at }));
    for (const write of this.#writers.values()) write(event);
  }

  /** Ends them all, now and from now on: they connect again, to another process. */
  close(): void {
    this.#isClosed = true;
    for (const response of this.#writers.keys()) response.end();
  }

  /** Who does not read is cut off, and gets all that counts when it connects again. */
  #writer(response: ServerResponse, mostBytes: number): (event: string) => void {
    return (event) => {
      if (response.destroyed || response.writableEnded) return;
      response.write(event);
      if (response.writableLength <= mostBytes) return;
      this.#options.onSlowReader();
      response.destroy();
    };
  }
}
