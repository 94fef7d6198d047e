import { compile, type Evaluator, FlagView, isLive } from '@tidegate/evaluation';
import type { FlagRecord, FlagStreamEvent } from '@tidegate/contracts';
import { isWatched, type WatchedHold } from '../silence/silence.ts';

/** One server-sent event, ready to be written. */
export const streamEvent = (event: FlagStreamEvent, json: string): string =>
  `event: ${event}\ndata: ${json}\n\n`;

interface Snapshot {
  readonly digest: string;
  /** JSON of a `FlagSnapshot`. */
  readonly text: string;
}

/** What one environment serves now, in the forms it is asked for: each is made once per change and shared. */
export class EnvironmentFlags {
  readonly #view = new FlagView();
  readonly #changedAt = new Map<string, number>();
  readonly #watched = new Map<string, WatchedHold>();
  readonly #listeners = new Set<(event: string) => void>();
  #snapshot: Snapshot | undefined;
  #evaluator: Evaluator | undefined;
  #keys: readonly (readonly [key: string, text: string])[] | undefined;

  /**
   * Takes a state, whoever brings it, and tells the listeners at once. False if it is not newer than what is held.
   * @param at when it came to be, ms since 1970; left out where nobody knows any more
   */
  merge(record: FlagRecord, at?: number): boolean {
    if (!this.#view.apply(record)) return false;
    this.#snapshot = undefined;
    this.#evaluator = undefined;
    this.#keys = undefined;
    if (at === undefined) this.#changedAt.delete(record.key);
    else this.#changedAt.set(record.key, at);
    this.#watch(record);
    if (this.#listeners.size > 0) {
      const event = streamEvent('flag', JSON.stringify(record));
      for (const listener of this.#listeners) listener(event);
    }
    return true;
  }

  /** Tombstones too. */
  get(key: string): FlagRecord | undefined {
    return this.#view.get(key);
  }

  /** When the held state of the flag came to be, ms since 1970. */
  changedAt(key: string): number | undefined {
    return this.#changedAt.get(key);
  }

  /** Holds of the flags that are to be closed when nobody looks after their rollout, by key. */
  watched(): ReadonlyMap<string, WatchedHold> {
    return this.#watched;
  }

  #watch({ key, flag }: FlagRecord): void {
    if (flag && !flag.disabled && isWatched(flag.hold)) this.#watched.set(key, flag.hold);
    else this.#watched.delete(key);
  }

  /** Everything held, by key, tombstones too. */
  records(): readonly FlagRecord[] {
    return this.#view.snapshot().flags;
  }

  snapshot(): Snapshot {
    if (!this.#snapshot) {
      const snapshot = this.#view.snapshot();
      this.#snapshot = { digest: snapshot.digest, text: JSON.stringify(snapshot) };
    }
    return this.#snapshot;
  }

  /** Equal for equal states of everything held. */
  get digest(): string {
    return this.#view.snapshot().digest;
  }

  /** Of the flags that are not deleted, in order; each with the same as JSON. */
  keys(): readonly (readonly [key: string, text: string])[] {
    this.#keys ??= this.records()
      .filter(isLive)
      .map(({ key }) => [key, JSON.stringify(key)]);
    return this.#keys;
  }

  evaluator(): Evaluator {
    this.#evaluator ??= compile(this.records());
    return this.#evaluator;
  }

  /** `listener` gets the text of each `flag` event; call what is returned to end it. */
  onChange(listener: (event: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
