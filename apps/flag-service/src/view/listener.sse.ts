import type { ServerResponse } from 'node:http';
import { type EnvironmentFlags, streamEvent } from './environment-flags.ts';
import { GZIP_HEAD, stored } from './gzip-parts.gzip.ts';
import { sentSnapshot } from './sent-snapshot.gzip.ts';

export interface FlagStreamOptions {
  /** What a reader may leave unread, beside its snapshot. */
  readonly bufferBytes: number;
  readonly onSlowReader: () => void;
}

/** An event in the two forms it is sent in; made once, and written to every listener from the same memory. */
export interface Event {
  readonly plain: Buffer;
  readonly gzip: Buffer;
}

export const eventOf = (text: string): Event => {
  const plain = Buffer.from(text);
  return { plain, gzip: stored(plain) };
};

const [BEFORE = '', AFTER = ''] = streamEvent('snapshot', '\0').split('\0');
const before = eventOf(BEFORE);
const after = eventOf(AFTER);

/** One connection. */
export class Listener {
  readonly #response: ServerResponse;
  readonly #isGzip: boolean;
  readonly #options: FlagStreamOptions;
  #mostBytes = 0;
  /** What happens while the snapshot is made ready; it comes behind it. */
  #early: Event[] | undefined = [];

  constructor(response: ServerResponse, isGzip: boolean, options: FlagStreamOptions) {
    this.#response = response;
    this.#isGzip = isGzip;
    this.#options = options;
  }

  async begin(flags: EnvironmentFlags, digest: string | undefined): Promise<void> {
    this.#writeHead();
    const snapshot = flags.snapshot();
    if (digest === snapshot.digest) {
      this.#open([eventOf(streamEvent('unchanged', JSON.stringify({ digest })))]);
      return;
    }
    const { plain, blocks } = sentSnapshot(snapshot);
    const gzip = this.#isGzip ? await blocks() : plain;
    this.#open([before, { plain, gzip }, after]);
  }

  #writeHead(): void {
    const response = this.#response;
    response.setHeader('content-type', 'text/event-stream; charset=utf-8');
    response.setHeader('cache-control', 'no-cache, no-transform');
    response.setHeader('x-accel-buffering', 'no');
    response.setHeader('vary', 'accept-encoding');
    if (this.#isGzip) response.setHeader('content-encoding', 'gzip');
    // The stream lasts as long as its connection: what is written need not be cut into chunks for each listener.
    response.setHeader('connection', 'close');
    response.removeHeader('transfer-encoding');
    response.flushHeaders();
    if (this.#isGzip) response.write(GZIP_HEAD);
  }

  #open(first: readonly Event[]): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    const bytes = first.reduce((sum, event) => sum + this.#form(event).length, 0);
    this.#mostBytes = bytes + this.#options.bufferBytes;
    for (const event of [...first, ...early]) this.send(event);
  }

  /** Who does not read is cut off, and gets all that counts when it connects again. */
  send(event: Event): void {
    if (this.#early) {
      this.#early.push(event);
      return;
    }
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return;
    response.write(this.#form(event));
    if (response.writableLength <= this.#mostBytes) return;
    this.#options.onSlowReader();
    response.destroy();
  }

  #form({ plain, gzip }: Event): Buffer {
    return this.#isGzip ? gzip : plain;
  }

  end(): void {
    this.#response.end();
  }
}
