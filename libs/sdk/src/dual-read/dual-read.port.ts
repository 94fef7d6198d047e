import type { EvaluationContext } from '@tidegate/evaluation';
import type { Report } from '../report.ts';

/** `off`: old answers, new is not read. `shadow`: old answers, new is read afterwards and compared. `new`: new answers. */
export const readModes = ['off', 'shadow', 'new'] as const;
export type ReadMode = (typeof readModes)[number];
export type Side = 'old' | 'new';

/**
 * `match`. `mismatch`: different, and still so when both were read again. `moved`: different, and the same when both were
 * read again, as when somebody wrote in between. `failed`: the other side, or the comparison, failed or took too long.
 * `skipped`: too many comparisons were under way.
 */
export type ComparisonOutcome = 'match' | 'mismatch' | 'moved' | 'failed' | 'skipped';

/** What one dual read counts. */
export interface DualReadCounts {
  /** A reading has ended, also one that nobody waits for. */
  ended(reading: {
    readonly mode: ReadMode;
    readonly side: Side;
    readonly outcome: 'answered' | 'failed';
    readonly seconds: number;
  }): void;
  compared(mode: ReadMode, outcome: ComparisonOutcome): void;
}

/** `dualReadMetrics` of `@tidegate/sdk/prometheus` is one. */
export interface DualReadMetrics {
  /** Called once for each dual read, when it is made. */
  of(name: string): DualReadCounts;
}

/** Two readings that should be the same. */
export interface Mismatch<A extends readonly unknown[], T> {
  readonly name: string;
  readonly mode: ReadMode;
  /** Which document, as `key` says. */
  readonly key: string;
  readonly args: A;
  readonly old: T;
  readonly new: T;
}

export interface DualReadOptions<A extends readonly unknown[], R> {
  /** What it is called in metrics and messages. */
  readonly name: string;
  /** A string flag whose values are `off`, `shadow` and `new`. */
  readonly flag: string;
  /** The reading there has always been; synchronous or not. Neither changes anything: either is read again at any time. */
  readonly old: (...args: A) => R;
  readonly new: (...args: A) => R;
  /** The mode while the flag cannot be evaluated. Default `off`; once the old form is gone, `new`. */
  readonly fallback?: ReadMode;
  /** `after`: also while new answers, old is read afterwards and compared. Default `shadow`: in that mode alone. */
  readonly compare?: 'shadow' | 'after';
  /** Whether both say the same. Default: deeply equal, as `isDeepStrictEqual` of Node. */
  readonly same?: (old: Awaited<R>, fresh: Awaited<R>) => boolean;
  /** Names the document that was read. Default: the arguments. */
  readonly key?: (...args: A) => string;
  /** Who asks; default: who is around (`runWithContext`, a request of Nest). */
  readonly context?: (...args: A) => EvaluationContext | undefined;
  /** Hears of mismatches, at most `mostSamplesPerMinute`. */
  readonly onMismatch?: (mismatch: Mismatch<A, Awaited<R>>) => void;
  /** Default 60; of failures as many are reported. */
  readonly mostSamplesPerMinute?: number;
  /** Comparisons under way at once; further ones are skipped and counted. Default 10. */
  readonly mostAtOnce?: number;
  /** How long a reading that nobody waits for may take. Default 5 000. */
  readonly timeoutMs?: number;
  readonly metrics?: DualReadMetrics;
  readonly onError?: Report;
}

/** Reads as the flag says; called as `old` is. */
export interface DualRead<A extends readonly unknown[], R> {
  (...args: A): R;
  /** Resolves when no comparison is under way: for specs, and before the database is closed. */
  settled(): Promise<void>;
}
