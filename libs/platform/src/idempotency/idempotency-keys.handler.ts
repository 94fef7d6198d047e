import { KEPT_MS, type SharedKeys } from './shared-keys.port.ts';

export interface IdempotencyKeysOptions {
  /** Without it each process remembers by itself. */
  readonly shared?: SharedKeys | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  /** Keys that are remembered here. */
  readonly most?: number;
}

interface Entry {
  fingerprint: string;
  readonly until: number;
  /** The others know of it. */
  isShared: boolean;
}

/** What a claim found. `first`: nobody had used the key; `other`: it was used for something else. */
export type Claimed = 'first' | 'same' | 'other';

const MOST = 20_000;

/** What each Idempotency-Key was first used for, for a day. */
export class IdempotencyKeys {
  readonly #shared: SharedKeys | undefined;
  readonly #now: () => number;
  readonly #most: number;
  /** The oldest first. */
  readonly #known = new Map<string, Entry>();
  #isLooking = false;

  constructor({ shared, now, most }: IdempotencyKeysOptions) {
    this.#shared = shared;
    this.#now = now ?? (() => performance.now());
    this.#most = most ?? MOST;
  }

  /**
   * Remembers what a key is used for.
   * @param isUrgent waits for nobody: what this process knows decides, and the others are told
   */
  async claim(name: string, fingerprint: string, isUrgent: boolean): Promise<Claimed> {
    const known = this.#find(name);
    if (known && known.fingerprint !== fingerprint) return 'other';
    const entry = known ?? this.#keep(name, fingerprint);
    const own: Claimed = known ? 'same' : 'first';
    if (entry.isShared || !this.#shared) return own;
    const asking = this.#ask(this.#shared, name, entry);
    if (isUrgent || (await asking) === fingerprint) return own;
    return 'other';
  }

  /** What was claimed was not done: the key may be used for something else. */
  forget(name: string): void {
    const wasShared = this.#known.get(name)?.isShared === true;
    this.#known.delete(name);
    // Without an answer it is remembered for a day, as if it had been used.
    if (wasShared) void this.#shared?.forget(name).catch(() => undefined);
  }

  isShared(): boolean {
    return this.#shared?.isUp() === true;
  }

  /**
   * What the key stands for, as the others have it, or as it is known here while they cannot be asked. While they seem
   * to be away nobody waits, and one question after the other is sent, for whoever is back to be found.
   */
  async #ask(shared: SharedKeys, name: string, entry: Entry): Promise<string> {
    const mine = entry.fingerprint;
    const isAway = !shared.isUp();
    if (isAway && this.#isLooking) return mine;
    this.#isLooking = isAway;
    const asking = this.#settle(shared, name, entry).finally(() => {
      if (isAway) this.#isLooking = false;
    });
    return isAway ? mine : asking;
  }

  async #settle(shared: SharedKeys, name: string, entry: Entry): Promise<string> {
    try {
      entry.fingerprint = await shared.claim(name, entry.fingerprint);
      entry.isShared = true;
    } catch {
      // The adapter says that it is away; until it is back what is known here decides.
    }
    return entry.fingerprint;
  }

  #find(name: string): Entry | undefined {
    const found = this.#known.get(name);
    if (!found || found.until > this.#now()) return found;
    this.#known.delete(name);
    return undefined;
  }

  #keep(name: string, fingerprint: string): Entry {
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= this.#most) this.#known.delete(oldest);
    const entry = { fingerprint, until: this.#now() + KEPT_MS, isShared: false };
    this.#known.set(name, entry);
    return entry;
  }
}
