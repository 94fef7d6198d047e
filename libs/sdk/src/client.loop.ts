import { AppError, messageOf } from '@tidegate/kernel';
import type { ViewRecord } from '@tidegate/contracts';
import { type Details, type EvaluationContext, failed } from '@tidegate/evaluation';
import { type AnswerHandler, AnswerWatch } from './answer-watch.loop.ts';
import { Keeper } from './bootstrap.loop.ts';
import type { Bootstrap } from './bootstrap.port.ts';
import type { SdkErrorCode } from './errors.ts';
import type { FlagSink, FlagSource, OpenSource } from './flag-source.port.ts';
import { Freshness } from './freshness.loop.ts';
import { type Listener, Listeners } from './listeners.ts';
import { type FlagChange, LocalFlags } from './local-flags.ts';
import { waitUntil } from './patience.loop.ts';
import type { Report } from './report.ts';
import type { Tidegate, TidegateStatus } from './tidegate.port.ts';
import { TypedAnswers } from './typed-answers.ts';
import { UseCounts } from './use-counts.ts';

const READY_TIMEOUT_MS = 10_000;

export interface ClientOptions {
  readonly notReadyAfterMs?: number | undefined;
  /** Where flags of the environment are kept from run to run. */
  readonly keep?: { readonly bootstrap: Bootstrap; readonly environment: string } | undefined;
}

/** Answers from the flags that its source brings. */
export class TidegateClient extends TypedAnswers implements Tidegate {
  readonly #flags = new LocalFlags();
  readonly #use = new UseCounts();
  readonly #freshness: Freshness;
  readonly #changes: Listeners<FlagChange>;
  readonly #answers: Listeners<readonly string[]>;
  readonly #statuses: Listeners<TidegateStatus>;
  readonly #report: Report;
  readonly #source: FlagSource;
  /** Who waits for the first flags. */
  readonly #looks: Listeners<void>;
  readonly #watches = new Set<AnswerWatch>();
  readonly #keeper: Keeper | undefined;
  #lastError: AppError<SdkErrorCode> | undefined;

  constructor(
    staleAfterMs: number,
    report: Report,
    open: OpenSource,
    { notReadyAfterMs, keep }: ClientOptions = {},
  ) {
    super();
    this.#report = report;
    const listenerFailed = (error: unknown) => {
      this.#failed(
        new AppError('SDK_LISTENER_FAILED', `A listener failed: ${messageOf(error)}`, {
          cause: error,
        }),
      );
    };
    this.#changes = new Listeners(listenerFailed);
    this.#answers = new Listeners(listenerFailed);
    this.#statuses = new Listeners(listenerFailed);
    this.#looks = new Listeners(listenerFailed);
    this.#freshness = new Freshness({ staleAfterMs, notReadyAfterMs }, () => {
      this.#statuses.notify(this.status);
      this.#looks.notify();
    });
    this.#keeper = keep && this.#keep(keep.bootstrap, keep.environment);
    this.#source = open(this.#sink());
  }

  get status(): TidegateStatus {
    const { state, ageMs } = this.#freshness;
    return { state, ageMs, digest: this.#flags.digest, lastError: this.#lastError };
  }

  ready(timeoutMs = READY_TIMEOUT_MS): Promise<void> {
    const look = () => {
      if (this.#freshness.state === 'closed') return 'never';
      return this.#freshness.ageMs === undefined ? 'open' : 'there';
    };
    const onLook = (listener: () => void) => this.#looks.add(listener);
    return waitUntil(look, onLook, timeoutMs, (why) =>
      this.#notReady(
        why === 'never' ? 'The client is closed.' : `No flags came within ${timeoutMs} ms.`,
      ),
    );
  }

  details<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T> {
    const details = this.#answer(key, defaultValue, context);
    this.#use.count(key, details);
    return details;
  }

  onChange(key: string, listener: Listener<FlagChange>): () => void {
    if (key === '*') return this.#changes.add(listener);
    return this.#changes.add((change) => (change.key === key ? listener(change) : undefined));
  }

  onFlagChanged(key: string, handler: AnswerHandler, context?: EvaluationContext): () => void {
    const watched = {
      key,
      answer: () => this.#answer<unknown>(key, undefined, context),
      version: () => this.#flags.get(key)?.version,
      failed: (error: AppError<SdkErrorCode>) => {
        this.#failed(error);
      },
    };
    const watch = new AnswerWatch(watched, handler);
    this.#watches.add(watch);
    return () => {
      this.#watches.delete(watch);
      watch.stop();
    };
  }

  onAnswersChanged(listener: Listener<readonly string[]>): () => void {
    return this.#answers.add(listener);
  }

  onStatus(listener: Listener<TidegateStatus>): () => void {
    return this.#statuses.add(listener);
  }

  async close(): Promise<void> {
    this.#freshness.close();
    for (const watch of this.#watches) watch.stop();
    this.#watches.clear();
    await Promise.all([this.#source.close(), this.#keeper?.close()]);
  }

  #answer<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T> {
    if (this.#freshness.state === 'ready') return this.#flags.evaluate(key, defaultValue, context);
    const { ageMs } = this.#freshness;
    if (ageMs === undefined)
      return failed(defaultValue, 'PROVIDER_NOT_READY', this.#problem('No flags have come yet.'));
    const details = this.#flags.evaluate(key, defaultValue, context);
    return details.reason === 'ERROR' ? details : stale(details, ageMs);
  }

  #sink(): FlagSink {
    const flags = this.#flags;
    const freshness = this.#freshness;
    const synced = () => {
      this.#lastError = undefined;
      freshness.synced();
    };
    return {
      get digest(): string | undefined {
        return freshness.ageMs === undefined ? undefined : flags.digest;
      },
      applied: () => flags.applied(),
      takeUse: () => {
        // Who watches a flag uses it, though nobody asks.
        for (const { key, answer } of this.#watches) this.#use.count(key, answer);
        return this.#use.take();
      },
      giveBackUse: (use) => {
        this.#use.giveBack(use);
      },
      sync: (states) => this.#tell(flags.apply(states, Date.now()), synced),
      apply: (states) => this.#tell(flags.apply(states, Date.now())),
      replace: (states) => this.#tell(flags.replace(states, Date.now()), synced),
      heard: () => {
        freshness.heard();
        this.#keeper?.heard();
      },
      failed: (error) => {
        this.#failed(error);
      },
    };
  }

  /** What comes too late, after the server's own, is not taken: it may have flags that are long gone. */
  #keep(bootstrap: Bootstrap, environment: string): Keeper {
    const take = (states: readonly ViewRecord[], ageMs: number): void => {
      if (this.#freshness.hasSynced) return;
      this.#tell(this.#flags.apply(states, Date.now()), () => this.#freshness.bootstrapped(ageMs));
    };
    return new Keeper(bootstrap, {
      environment,
      take,
      snapshot: () => this.#flags.snapshot(),
      ageMs: () => this.#freshness.ageMs,
      failed: (error) => {
        this.#failed(error);
      },
    });
  }

  /** Whoever listens finds the new flags and the new status already in place. */
  #tell(changes: readonly FlagChange[], thenFresh = () => {}): readonly FlagChange[] {
    thenFresh();
    if (this.#freshness.hasSynced) this.#keeper?.changed();
    for (const change of changes) this.#changes.notify(change);
    this.#tellAnswers();
    for (const watch of this.#watches) watch.look();
    this.#looks.notify();
    return changes;
  }

  #tellAnswers(): void {
    if (this.#answers.isEmpty) return;
    const affected = this.#flags.lastAffected();
    if (affected.length > 0) this.#answers.notify(affected);
  }

  #failed(error: AppError<SdkErrorCode>): void {
    this.#lastError = error;
    if (error.code === 'SDK_REFUSED') this.#freshness.refused();
    this.#report(error);
  }

  #problem(sentence: string): string {
    return this.#lastError ? `${sentence} Last problem: ${this.#lastError.message}` : sentence;
  }

  #notReady(sentence: string): AppError<SdkErrorCode> {
    const options = { retryable: true, cause: this.#lastError };
    return new AppError('SDK_NOT_READY', this.#problem(sentence), options);
  }
}

const stale = <T>(details: Details<T>, ageMs: number): Details<T> => ({
  ...details,
  reason: 'STALE',
  flagMetadata: { ...details.flagMetadata, ageMs: Math.round(ageMs) },
});
