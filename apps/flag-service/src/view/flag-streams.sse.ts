import type { IncomingMessage, ServerResponse } from 'node:http';
import { Broadcasts } from './broadcasts.ts';
import { type EnvironmentFlags, streamEvent } from './environment-flags.ts';
import { GZIP_HEAD, stored, takesGzip } from './gzip-parts.gzip.ts';
import { sentSnapshot } from './sent-snapshot.gzip.ts';

export interface FlagStreamOptions {
  /** What a reader may leave unread, beside its snapshot. */
  readonly bufferBytes: number;
  readonly onSlowReader: () => void;
}

/** An event in the two forms it is sent in; made once, and written to every listener from the same memory. */
interface Event {
  readonly plain: Buffer;
  readonly gzip: Buffer;
}

const eventOf = (text: string): Event => {
  const plain = Buffer.from(text);
  return { plain, gzip: stored(plain) };
};

/** Deliveries at a time: some milliseconds, in which nothing else happens. */
const SLICE = 250;
/** Heartbeats are given to one group of listeners after another. */
export const BEATS = 50;

/** Who listens to the flags of an environment. */
export class FlagStreams {
  readonly #options: FlagStreamOptions;
  readonly #audiences = new Map<EnvironmentFlags, Audience>();
  readonly #groups = Array.from({ length: BEATS }, () => new Set<Listener>());
  readonly #broadcasts = new Broadcasts<Listener, Event>({
    deliver: (listener, event) => listener.send(event),
    slice: SLICE,
    later: setImmediate,
  });
  #connected = 0;
  #opened = 0;
  #beat = 0;
  #isClosed = false;

  constructor(options: FlagStreamOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#groups.reduce((sum, { size }) => sum + size, 0);
  }

  /** @param digest of what the client holds already */
  connect(
    { headers }: Pick<IncomingMessage, 'headers'>,
    response: ServerResponse,
    flags: EnvironmentFlags,
    digest: string | undefined,
  ): void {
    const listener = new Listener(response, takesGzip(headers['accept-encoding']), this.#options);
    const audience = this.#audienceOf(flags);
    const group = this.#groups[this.#connected % BEATS];
    this.#connected += 1;
    audience.listeners.add(listener);
    group?.add(listener);
    response.once('close', () => {
      audience.listeners.delete(listener);
      group?.delete(listener);
      if (audience.listeners.size > 0) return;
      audience.leave();
      this.#audiences.delete(flags);
    });
    listener.begin(flags, digest).catch((error: Error) => response.destroy(error));
    if (this.#isClosed) response.end();
  }

  #audienceOf(flags: EnvironmentFlags): Audience {
    const known = this.#audiences.get(flags);
    if (known) return known;
    const listeners = new Set<Listener>();
    this.#opened += 1;
    const audience = this.#opened;
    const leave = flags.onChange((text, { about, isUrgent }) =>
      this.#broadcasts.send(`${audience} ${about}`, eventOf(text), [...listeners], isUrgent),
    );
    const made = { listeners, leave };
    this.#audiences.set(flags, made);
    return made;
  }

  /** Tells the next group of listeners that their connections live: everybody, in BEATS turns. `at` in ms since 1970. */
  beat(at: number): void {
    const event = eventOf(streamEvent('heartbeat', JSON.stringify({ at })));
    for (const listener of this.#groups[this.#beat % BEATS] ?? []) listener.send(event);
    this.#beat += 1;
  }

  /** Ends them all, now and from now on: they connect again, to another process. */
  close(): void {
    this.#isClosed = true;
    for (const group of this.#groups) for (const listener of group) listener.end();
  }
}

interface Audience {
  readonly listeners: Set<Listener>;
  readonly leave: () => void;
}

const [BEFORE = '', AFTER = ''] = streamEvent('snapshot', '\0').split('\0');
const before = eventOf(BEFORE);
const after = eventOf(AFTER);

/** One connection. */
class Listener {
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
