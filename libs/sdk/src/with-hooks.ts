import { AppError, messageOf } from '@tidegate/kernel';
import type { Details, EvaluationContext } from '@tidegate/evaluation';
import type { AnswerHandler } from './answer-watch.loop.ts';
import { mergeContexts } from './context/merge-contexts.ts';
import type { SdkErrorCode } from './errors.ts';
import type { Listener } from './listeners.ts';
import type { FlagChange } from './local-flags.ts';
import type { Observer, TidegateHooks } from './observer.port.ts';
import { type Report, reportTo } from './report.ts';
import type { Tidegate, TidegateStatus } from './tidegate.port.ts';
import { TypedAnswers } from './typed-answers.ts';

/**
 * The same client, with a context where the call gives none and with observers of its evaluations. The
 * call's context wins, attribute by attribute. Given no hook it is the client itself: who uses none pays nothing.
 */
export function withHooks(
  flags: Tidegate,
  { contextOf, observers = [] }: TidegateHooks,
  onError?: Report,
): Tidegate {
  if (contextOf === undefined && observers.length === 0) return flags;
  const hooked = new HookedTidegate(flags, contextOf, observers, reportTo(onError));
  hooked.attach();
  return hooked;
}

class HookedTidegate extends TypedAnswers implements Tidegate {
  readonly #flags: Tidegate;
  readonly #contextOf: TidegateHooks['contextOf'];
  readonly #observers: readonly Observer[];
  readonly #report: Report;

  constructor(
    flags: Tidegate,
    contextOf: TidegateHooks['contextOf'],
    observers: readonly Observer[],
    report: Report,
  ) {
    super();
    this.#flags = flags;
    this.#contextOf = contextOf;
    this.#observers = observers;
    this.#report = report;
  }

  attach(): void {
    for (const observer of this.#observers)
      try {
        observer.attached?.(this.#flags);
      } catch (error) {
        this.#failed('An observer', error);
      }
  }

  get status(): TidegateStatus {
    return this.#flags.status;
  }

  ready(timeoutMs?: number): Promise<void> {
    return this.#flags.ready(timeoutMs);
  }

  details<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T> {
    const asked = mergeContexts(this.#around(), context);
    const details = this.#flags.details(key, defaultValue, asked);
    for (const observer of this.#observers)
      try {
        observer.evaluated?.(key, details, asked);
      } catch (error) {
        this.#failed('An observer', error);
      }
    return details;
  }

  onChange(key: string, listener: Listener<FlagChange>): () => void {
    return this.#flags.onChange(key, listener);
  }

  onFlagChanged(key: string, handler: AnswerHandler, context?: EvaluationContext): () => void {
    return this.#flags.onFlagChanged(key, handler, mergeContexts(this.#around(), context));
  }

  onAnswersChanged(listener: Listener<readonly string[]>): () => void {
    return this.#flags.onAnswersChanged(listener);
  }

  onStatus(listener: Listener<TidegateStatus>): () => void {
    return this.#flags.onStatus(listener);
  }

  close(): Promise<void> {
    return this.#flags.close();
  }

  #around(): EvaluationContext | undefined {
    try {
      return this.#contextOf?.();
    } catch (error) {
      this.#failed('contextOf', error);
      return undefined;
    }
  }

  #failed(what: string, cause: unknown): void {
    const sentence = `${what} failed: ${messageOf(cause)}`;
    this.#report(new AppError<SdkErrorCode>('SDK_LISTENER_FAILED', sentence, { cause }));
  }
}
