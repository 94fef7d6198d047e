import { compile, type Evaluator, FlagView, isLive } from '@tidegate/evaluation';
import type { FlagRecord, FlagStreamEvent } from '@tidegate/contracts';
import { isWatched, type WatchedHold } from '../silence/silence.ts';

/** One server-sent event, ready to be written. */
export const streamEvent = (event: FlagStreamEvent, json: string): string =>
  `event: ${event}\ndata: ${json}\n\n`;

export interface Snapshot {
  readonly digest: string;
  /** JSON of a `FlagSnapshot`. */
  readonly text: string;
}

/** What a change is about, and whether it must not wait: it closes a flag, or opens it to fewer. */
export interface ChangeNote {
  readonly about: string;
  readonly isUrgent: boolean;
}

/** Gets the text of each event. */
export type ChangeListener = (event: string, note: ChangeNote) => void;

/** What one environment serves now, in the forms it is asked for: each is made once per change and shared. */
export class EnvironmentFlags {
  readonly #view = new FlagView();
  readonly #changedAt = new Map<string, number>();
  readonly #watched = new Map<string, WatchedHold>();
  readonly #listeners = new Set<ChangeListener>();
  readonly #texts = new WeakMap<FlagRecord, string>();
  #snapshot: Snapshot | undefined;
  #evaluator: Evaluator | undefined;
  #keys: readonly (readonly [key: string, text: string])[] | undefined;

  /**
   * Takes a state, whoever brings it, and tells the listeners at once. False if it is not newer than what is held.
   * @param at when it came to be, ms since 1970; left out where nobody knows any more
   */
  merge(record: FlagRecord, at?: number): boolean {
    const before = this.get(record.key);
    if (!this.#view.apply(record)) return false;
    this.#snapshot = undefined;
    this.#evaluator = undefined;
    this.#keys = undefined;
    if (at === undefined) this.#changedAt.delete(record.key);
    else this.#changedAt.set(record.key, at);
    this.#watch(record);
    if (this.#listeners.size > 0) {
      const event = streamEvent('flag', this.#textOf(record));
      const note = { about: record.key, isUrgent: closes(before, record) };
      for (const listener of this.#listeners) listener(event, note);
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
      const { digest, flags } = this.#view.snapshot();
      const texts = flags.map((record) => this.#textOf(record));
      this.#snapshot = { digest, text: `{"digest":"${digest}","flags":[${texts.join(',')}]}` };
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

  /** Each record is put into words once: with thousands of them a snapshot would hold up a kill. */
  #textOf(record: FlagRecord): string {
    const known = this.#texts.get(record);
    if (known !== undefined) return known;
    const text = JSON.stringify(record);
    this.#texts.set(record, text);
    return text;
  }

  /** Call what is returned to end it. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function closes(before: FlagRecord | undefined, { flag }: FlagRecord): boolean {
  const was = before?.flag;
  if (!was) return false;
  if (!flag || (flag.disabled && !was.disabled)) return true;
  return flag.definition.exposure.percentage < was.definition.exposure.percentage;
}
