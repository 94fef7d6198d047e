import type { IncomingMessage, ServerResponse } from 'node:http';
import { Broadcasts } from './broadcasts.ts';
import { type EnvironmentFlags, streamEvent } from './environment-flags.ts';
import { takesGzip } from './gzip-parts.gzip.ts';
import { type Event, eventOf, type FlagStreamOptions, Listener } from './listener.sse.ts';

/** Deliveries at a time: some milliseconds, in which nothing else happens. */
const SLICE = 250;
/** Heartbeats are given to one group of listeners after another. */
export const BEATS = 50;

interface Options extends FlagStreamOptions {
  /** More listeners than this are sent away, to poll. */
  readonly maxStreams: number;
  readonly onFull: () => void;
}

const ROOM_AGAIN = 0.9;

/** Who listens to the flags of an environment. */
export class FlagStreams {
  readonly #options: Options;
  readonly #audiences = new Map<EnvironmentFlags, Audience>();
  /** Each listener with whether its key may still have the flags. */
  readonly #groups = Array.from({ length: BEATS }, () => new Map<Listener, () => boolean>());
  readonly #broadcasts = new Broadcasts<Listener, Event>({
    deliver: (listener, event) => listener.send(event),
    slice: SLICE,
    later: setImmediate,
  });
  #connected = 0;
  #opened = 0;
  #beat = 0;
  #isToldFull = false;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  get size(): number {
    return this.#groups.reduce((sum, { size }) => sum + size, 0);
  }

  /** False while there are as many as there may be. */
  hasRoom(): boolean {
    const { maxStreams, onFull } = this.#options;
    const hasRoom = this.size < maxStreams;
    if (!hasRoom && !this.#isToldFull) onFull();
    // Told again only after there was real room: at the limit streams come and go all the time.
    this.#isToldFull = !hasRoom || (this.#isToldFull && this.size > maxStreams * ROOM_AGAIN);
    return hasRoom;
  }

  connect(
    { headers }: Pick<IncomingMessage, 'headers'>,
    response: ServerResponse,
    flags: EnvironmentFlags,
    { digest, isPermitted }: Client,
  ): void {
    if (response.destroyed) return; // it would never close again, and never be forgotten
    const listener = new Listener(response, takesGzip(headers['accept-encoding']), this.#options);
    const audience = this.#audienceOf(flags);
    const group = this.#groups[this.#connected % BEATS];
    this.#connected += 1;
    audience.listeners.add(listener);
    audience.all = undefined;
    group?.set(listener, isPermitted);
    response.once('close', () => {
      audience.listeners.delete(listener);
      audience.all = undefined;
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
    this.#opened += 1;
    const name = this.#opened;
    const leave = flags.onChange((text, { about, isUrgent }) => {
      audience.all ??= [...audience.listeners];
      this.#broadcasts.send(`${name} ${about}`, eventOf(text), audience.all, isUrgent);
    });
    const audience: Audience = { listeners: new Set(), all: undefined, leave };
    this.#audiences.set(flags, audience);
    return audience;
  }

  /**
   * Tells the next group of listeners that their connections live: everybody, in BEATS turns. Whose key was revoked is
   * cut off. `at` in ms since 1970.
   */
  beat(at: number): void {
    const event = eventOf(streamEvent('heartbeat', JSON.stringify({ at })));
    for (const [listener, isPermitted] of this.#groups[this.#beat % BEATS] ?? [])
      if (isPermitted()) listener.send(event);
      else listener.end();
    this.#beat += 1;
  }

  /** Ends them all, now and from now on: they connect again, to another process. */
  close(): void {
    this.#isClosed = true;
    for (const group of this.#groups) for (const listener of group.keys()) listener.end();
  }
}

interface Client {
  /** Of what it holds already. */
  readonly digest: string | undefined;
  /** Asked again and again: a key may be revoked. */
  readonly isPermitted: () => boolean;
}

interface Audience {
  readonly listeners: Set<Listener>;
  /** A copy for all changes until somebody comes or goes: each change would hold one of its own while it waits. */
  all: readonly Listener[] | undefined;
  readonly leave: () => void;
}
