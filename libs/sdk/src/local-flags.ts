import type { FlagRecord, SdkAlive } from '@tidegate/contracts';
import {
  compile,
  type Details,
  type EvaluationContext,
  type Evaluator,
  FlagView,
} from '@tidegate/evaluation';

/** A flag that this process now answers differently, or for the first time (`before` undefined). */
export interface FlagChange {
  readonly key: string;
  readonly before: FlagRecord | undefined;
  /** `flag` is null: deleted. */
  readonly after: FlagRecord;
  /** When this process began to answer with it, ms since 1970. */
  readonly at: number;
}

export type Applied = SdkAlive['data']['applied'];

/** The flags of one environment as this process holds them. */
export class LocalFlags {
  readonly #view = new FlagView();
  readonly #appliedAt = new Map<string, number>();
  #evaluator: Evaluator = compile([]);

  /** What the states changed; older ones than are held change nothing. */
  apply(states: readonly FlagRecord[], at: number): readonly FlagChange[] {
    const changes: FlagChange[] = [];
    for (const state of states) {
      const before = this.#view.get(state.key);
      if (!this.#view.apply(state)) continue;
      this.#appliedAt.set(state.key, at);
      changes.push({ key: state.key, before, after: state, at });
    }
    if (changes.length > 0) this.#evaluator = compile(this.#view);
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

  /** Revision, and since when, of every flag that a rollout holds. */
  appliedInRollouts(): Applied {
    const applied: Applied = {};
    for (const { key, epoch, version, flag } of this.#view.flags())
      if (flag.hold) applied[key] = { epoch, version, at: this.#appliedAt.get(key) ?? 0 };
    return applied;
  }
}

/** True if a rollout waits to hear that the change has arrived. */
export const concernsRollout = ({ before, after }: FlagChange): boolean =>
  (before?.flag?.hold ?? after.flag?.hold) !== undefined;
