import {
  compile,
  type Evaluator,
  type EvaluatorOptions,
  FlagView,
  isLive,
} from '@tidegate/evaluation';
import type { FlagRecord, FlagStreamEvent, SegmentRecord, ViewRecord } from '@tidegate/contracts';
import { isWatched, type WatchedHold } from '../silence/silence.ts';
import { isSegment, stateKey } from './kinds.ts';

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
  readonly #options: EvaluatorOptions;
  readonly #view = new FlagView();
  readonly #changedAt = new Map<string, number>();
  readonly #watched = new Map<string, WatchedHold>();
  readonly #listeners = new Set<ChangeListener>();
  readonly #texts = new WeakMap<ViewRecord, string>();
  #snapshot: Snapshot | undefined;
  #evaluator: Evaluator | undefined;
  #keys: readonly (readonly [key: string, text: string])[] | undefined;

  constructor(options: EvaluatorOptions = {}) {
    this.#options = options;
  }

  /**
   * Takes a state, whoever brings it, and tells the listeners at once. False if it is not newer than what is held.
   * @param at when it came to be, ms since 1970; left out where nobody knows any more
   */
  merge(record: ViewRecord, at?: number): boolean {
    const before = this.holds(record);
    if (!this.#view.apply(record)) return false;
    this.#snapshot = undefined;
    this.#keys = undefined;
    this.#evaluator?.update([record]);
    const about = stateKey(record);
    if (at === undefined) this.#changedAt.delete(about);
    else this.#changedAt.set(about, at);
    if (!isSegment(record)) this.#watch(record);
    if (this.#listeners.size > 0) {
      const event = streamEvent(isSegment(record) ? 'segment' : 'flag', this.#textOf(record));
      const note = { about, isUrgent: closes(before, record) };
      for (const listener of this.#listeners) listener(event, note);
    }
    return true;
  }

  /** What is held of the same flag or segment. */
  holds(record: ViewRecord): ViewRecord | undefined {
    return this.#view.holds(record);
  }

  /** Tombstones too. */
  get(key: string): FlagRecord | undefined {
    return this.#view.get(key);
  }

  /** Tombstones too. */
  segment(key: string): SegmentRecord | undefined {
    return this.#view.segment(key);
  }

  /** When the held state of a flag, or by its key in the topic of a segment, came to be; ms since 1970. */
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

  /** Flags, by key, tombstones too. */
  records(): readonly FlagRecord[] {
    return this.#view.snapshot().flags;
  }

  /** Flags and segments, tombstones too. */
  all(): readonly ViewRecord[] {
    return [...this.#view];
  }

  snapshot(): Snapshot {
    if (!this.#snapshot) {
      const { digest, flags, segments } = this.#view.snapshot();
      const [flagsText, segmentsText] = [flags, segments].map((records) =>
        records.map((record) => this.#textOf(record)).join(','),
      );
      const text = `{"digest":"${digest}","flags":[${flagsText}],"segments":[${segmentsText}]}`;
      this.#snapshot = { digest, text };
    }
    return this.#snapshot;
  }

  /** Equal for equal states of everything held. */
  get digest(): string {
    return this.#view.digest;
  }

  /** Of the flags that are not deleted, in order; each with the same as JSON. */
  keys(): readonly (readonly [key: string, text: string])[] {
    this.#keys ??= this.records()
      .filter(isLive)
      .map(({ key }) => [key, JSON.stringify(key)]);
    return this.#keys;
  }

  evaluator(): Evaluator {
    this.#evaluator ??= compile(this.#view, this.#options);
    return this.#evaluator;
  }

  /** Each record is put into words once: with thousands of them a snapshot would hold up a kill. */
  #textOf(record: ViewRecord): string {
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

function closes(before: ViewRecord | undefined, after: ViewRecord): boolean {
  if (!before || isSegment(before) || isSegment(after)) return false;
  const [was, is] = [before.flag, after.flag];
  if (!was) return false;
  if (!is || (is.disabled && !was.disabled)) return true;
  return is.definition.exposure.percentage < was.definition.exposure.percentage;
}
