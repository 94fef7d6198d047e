import type { AppError } from '@tidegate/kernel';
import type { modes } from '@tidegate/contracts';
import type { Details, EvaluationContext } from '@tidegate/evaluation';
import type { AnswerHandler } from './answer-watch.loop.ts';
import type { SdkErrorCode } from './errors.ts';
import type { Listener } from './listeners.ts';
import type { FlagChange } from './local-flags.ts';

export type Mode = (typeof modes)[number];

/**
 * `connecting`: no flags yet, every answer is the caller's default. `ready`: the flags are current.
 * `stale`: cut off for longer than `staleAfterMs`, or only flags of an earlier run: answers from what was last known.
 * `error`: likewise, or with defaults where nothing is known, and not ready: the server refuses the key or the
 * environment, or nothing was heard for `notReadyAfterMs`; it goes on trying and recovers by itself.
 * `closed`: answers from what was last known, for good.
 */
export interface TidegateStatus {
  readonly state: 'connecting' | 'ready' | 'stale' | 'error' | 'closed';
  /** How long ago the flags were known to be current, ms; undefined before they first came. */
  readonly ageMs: number | undefined;
  readonly digest: string;
  /** What went wrong last, since the flags last came as a whole. */
  readonly lastError: AppError<SdkErrorCode> | undefined;
}

/** The flags of one environment, in this process: evaluation is synchronous, needs no network and never throws. */
export interface Tidegate {
  /**
   * Resolves once flags are held, also old ones. Rejects with SDK_NOT_READY after `timeoutMs` (default
   * 10 000); the client goes on connecting.
   */
  ready(timeoutMs?: number): Promise<void>;
  readonly status: TidegateStatus;

  /** These answer with `defaultValue` on any error; `details` says which. */
  boolean(key: string, defaultValue: boolean, context?: EvaluationContext): boolean;
  string(key: string, defaultValue: string, context?: EvaluationContext): string;
  number(key: string, defaultValue: number, context?: EvaluationContext): number;
  /** The object is frozen and shared. */
  object<T extends object>(key: string, defaultValue: T, context?: EvaluationContext): T;
  /** A value that is no mode counts as TYPE_MISMATCH. */
  mode(key: string, defaultValue: Mode, context?: EvaluationContext): Mode;
  /** With variant, reason, error and the flag's revision; `undefined` as default accepts any type. */
  details<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T>;

  /**
   * Called after each applied change of one flag, or of any (`*`), its first appearance included.
   * A listener that throws is reported and disturbs nobody. Returns how to stop listening.
   */
  onChange(key: string, listener: Listener<FlagChange>): () => void;
  /**
   * Called when a flag answers differently to `context` (default: to nobody in particular), whatever made it so: the
   * flag, a segment or another flag that it builds on, or that its answer is there for the first time. Changes come in
   * order, the next one once the handler has ended with the one before. One that fails is tried again, up to eight
   * times in half a minute, unless a newer one waits; then it is reported as given up. Returns how to stop.
   */
  onFlagChanged(key: string, handler: AnswerHandler, context?: EvaluationContext): () => void;
  /**
   * Called once for all that came together, with the keys of the flags that may answer differently since: those that
   * changed, and those that build on a segment or another flag that did.
   */
  onAnswersChanged(listener: Listener<readonly string[]>): () => void;
  /** Called after each change of `status.state`. */
  onStatus(listener: Listener<TidegateStatus>): () => void;

  /** Ends connection and timers; what is held goes on answering, as STALE. Safe to repeat. */
  close(): Promise<void>;
}
