import { isNewer } from '@tidegate/kernel';
import type {
  FlagRecord,
  FlagSnapshot,
  SdkAlive,
  SegmentRecord,
  ViewRecord,
} from '@tidegate/contracts';
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

/** The flags of one environment, and the segments that they refer to, as this process holds them. */
export class LocalFlags {
  #view = new FlagView();
  #segments = new Map<string, SegmentRecord>();
  readonly #appliedAt = new Map<string, number>();
  #evaluator: Evaluator = compile([]);

  /** What the states changed; older ones than are held change nothing. */
  apply(states: readonly ViewRecord[], at: number): readonly FlagChange[] {
    const changes: FlagChange[] = [];
    let isChanged = false;
    for (const state of states) {
      const before = this.#held(state);
      if (!this.#take(state)) continue;
      isChanged = true;
      if (isFlag(state))
        changes.push({ key: state.key, before: before as FlagRecord, after: state, at });
    }
    if (isChanged) this.#changed(changes, at);
    return changes;
  }

  /** The states are all there is, whatever is held: those that are not among them are deleted. */
  replace(states: readonly ViewRecord[], at: number): readonly FlagChange[] {
    const before = this.#view;
    this.#view = new FlagView();
    this.#segments = new Map();
    for (const state of states) this.#take(state);
    const changes: FlagChange[] = [];
    for (const after of this.#view) {
      const held = before.get(after.key);
      if (!held || !isSame(held, after)) changes.push({ key: after.key, before: held, after, at });
    }
    for (const held of before)
      if (held.flag && !this.#view.get(held.key))
        changes.push({ key: held.key, before: held, after: { ...held, flag: null }, at });
    this.#changed(changes, at);
    return changes;
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
    return { ...this.#view.snapshot(), segments: [...this.#segments.values()] };
  }

  /** Revision, and since when, of every flag that a rollout holds. */
  appliedInRollouts(): Applied {
    const applied: Applied = {};
    for (const { key, epoch, version, flag } of this.#view.flags())
      if (flag.hold) applied[key] = { epoch, version, at: this.#appliedAt.get(key) ?? 0 };
    return applied;
  }

  #held(state: ViewRecord): ViewRecord | undefined {
    return isFlag(state) ? this.#view.get(state.key) : this.#segments.get(state.key);
  }

  #take(state: ViewRecord): boolean {
    if (isFlag(state)) return this.#view.apply(state);
    const held = this.#segments.get(state.key);
    if (held && !isNewer(state, held)) return false;
    this.#segments.set(state.key, state);
    return true;
  }

  #changed(changes: readonly FlagChange[], at: number): void {
    for (const { key } of changes) this.#appliedAt.set(key, at);
    this.#evaluator = compile(this.#view);
  }
}

const isFlag = (state: ViewRecord): state is FlagRecord => 'flag' in state;

const isSame = (a: FlagRecord, b: FlagRecord): boolean =>
  a.epoch === b.epoch &&
  a.version === b.version &&
  JSON.stringify(a.flag) === JSON.stringify(b.flag);

/** True if a rollout waits to hear that the change has arrived. */
export const concernsRollout = ({ before, after }: FlagChange): boolean =>
  (before?.flag?.hold ?? after.flag?.hold) !== undefined;
