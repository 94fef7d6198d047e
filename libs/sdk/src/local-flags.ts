import type { FlagRecord, FlagSnapshot, SdkAlive, ViewRecord } from '@tidegate/contracts';
import {
  compile,
  type Details,
  type EvaluationContext,
  type Evaluator,
  FlagView,
} from '@tidegate/evaluation';

/** A flag whose record this process has now, or has for the first time (`before` undefined). */
export interface FlagChange {
  readonly key: string;
  readonly before: FlagRecord | undefined;
  /** `flag` is null: deleted. */
  readonly after: FlagRecord;
  /** When this process began to answer with it, ms since 1970. */
  readonly at: number;
}

export type Applied = SdkAlive['data']['applied'];

/** Somebody may ask who has them: a kill was one of the last changes. */
const MOST_LATELY = 100;

/** The flags of one environment, and the segments that they refer to, as this process holds them. */
export class LocalFlags {
  #view = new FlagView();
  readonly #appliedAt = new Map<string, number>();
  /** Changed since they came, the latest last. */
  readonly #lately = new Set<string>();
  #evaluator: Evaluator = compile([]);
  #lastChanged: readonly ViewRecord[] = [];

  /** What the states changed; older ones than are held change nothing. */
  apply(states: readonly ViewRecord[], at: number): readonly FlagChange[] {
    const newer: ViewRecord[] = [];
    const changes: FlagChange[] = [];
    for (const state of states) {
      const before = this.#view.get(state.key);
      if (!this.#view.apply(state)) continue;
      newer.push(state);
      if ('flag' in state) changes.push({ key: state.key, before, after: state, at });
    }
    this.#evaluator.update(newer);
    this.#lastChanged = newer;
    return this.#applied(changes);
  }

  /** The states are all there is, whatever is held: those that are not among them are deleted. */
  replace(states: readonly ViewRecord[], at: number): readonly FlagChange[] {
    const held = this.#view;
    this.#view = new FlagView();
    for (const state of states) this.#view.apply(state);
    this.#evaluator = compile(this.#view);
    const other = [...this.#view].filter((after) => !isSame(held.holds(after), after));
    const gone = [...held].filter((before) => !this.#view.holds(before));
    this.#lastChanged = [...other, ...gone.flatMap(deleted)];
    return this.#applied(
      this.#lastChanged.flatMap((after) =>
        'flag' in after ? [{ key: after.key, before: held.get(after.key), after, at }] : [],
      ),
    );
  }

  /** Flags that may answer differently since the last change: those that changed, and those that build on what did. */
  lastAffected(): readonly string[] {
    const affected = this.#lastChanged.flatMap((record) => [
      ...('flag' in record ? [record.key] : []),
      ...this.#evaluator.dependents(record),
    ]);
    return [...new Set(affected)];
  }

  evaluate<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T> {
    return this.#evaluator.evaluate(key, defaultValue, context);
  }

  get(key: string): FlagRecord | undefined {
    return this.#view.get(key);
  }

  get digest(): string {
    return this.#view.digest;
  }

  snapshot(): FlagSnapshot {
    return this.#view.snapshot();
  }

  /** Revision, and since when, of every flag that a rollout holds, and of those that changed last. */
  applied(): Applied {
    const applied: Applied = {};
    for (const { key, epoch, version, flag } of this.#view.flags())
      if (flag.hold || this.#lately.has(key))
        applied[key] = { epoch, version, at: this.#appliedAt.get(key) ?? 0 };
    return applied;
  }

  #applied(changes: readonly FlagChange[]): readonly FlagChange[] {
    for (const { key, before, at } of changes) {
      this.#appliedAt.set(key, at);
      if (before === undefined) continue;
      this.#lately.delete(key);
      this.#lately.add(key);
    }
    for (const key of this.#lately) {
      if (this.#lately.size <= MOST_LATELY) break;
      this.#lately.delete(key);
    }
    return changes;
  }
}

const isSame = (a: ViewRecord | undefined, b: ViewRecord): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/** What was deleted before cannot be deleted again. */
function deleted(record: ViewRecord): ViewRecord[] {
  if ('flag' in record) return record.flag === null ? [] : [{ ...record, flag: null }];
  return record.segment === null ? [] : [{ ...record, segment: null }];
}

/** True if a rollout waits to hear that the change has arrived. */
export const concernsRollout = ({ before, after }: FlagChange): boolean =>
  (before?.flag?.hold ?? after.flag?.hold) !== undefined;
