import { AppError, messageOf } from '@tidegate/kernel';
import type { Details, EvaluationContext } from '@tidegate/evaluation';
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
  const report = reportTo(onError);
  for (const observer of observers)
    safely('An observer', () => observer.attached?.(flags), report)();
  const evaluated = observers.flatMap((observer) =>
    observer.evaluated ? [safely('An observer', observer.evaluated.bind(observer), report)] : [],
  );
  return new HookedTidegate(
    flags,
    contextOf ? safely('contextOf', contextOf, report) : () => undefined,
    evaluated,
  );
}

class HookedTidegate extends TypedAnswers implements Tidegate {
  readonly #flags: Tidegate;
  readonly #contextOf: () => EvaluationContext | undefined;
  readonly #evaluated: readonly Required<Observer>['evaluated'][];

  constructor(
    flags: Tidegate,
    contextOf: () => EvaluationContext | undefined,
    evaluated: readonly Required<Observer>['evaluated'][],
  ) {
    super();
    this.#flags = flags;
    this.#contextOf = contextOf;
    this.#evaluated = evaluated;
  }

  get status(): TidegateStatus {
    return this.#flags.status;
  }

  ready(timeoutMs?: number): Promise<void> {
    return this.#flags.ready(timeoutMs);
  }

  details<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T> {
    const asked = mergeContexts(this.#contextOf(), context);
    const details = this.#flags.details(key, defaultValue, asked);
    for (const evaluated of this.#evaluated) evaluated(key, details, asked);
    return details;
  }

  onChange(key: string, listener: Listener<FlagChange>): () => void {
    return this.#flags.onChange(key, listener);
  }

  onStatus(listener: Listener<TidegateStatus>): () => void {
    return this.#flags.onStatus(listener);
  }

  close(): Promise<void> {
    return this.#flags.close();
  }
}

/** What it throws is reported; then it answers undefined. */
const safely =
  <A extends unknown[], R>(what: string, call: (...args: A) => R, report: Report) =>
  (...args: A): R | undefined => {
    try {
      return call(...args);
    } catch (cause) {
      const sentence = `${what} failed: ${messageOf(cause)}`;
      report(new AppError<SdkErrorCode>('SDK_LISTENER_FAILED', sentence, { cause }));
      return undefined;
    }
  };
