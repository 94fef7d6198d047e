import { AppError, messageOf } from '@tidegate/kernel';
import { type FlagRecord, modes } from '@tidegate/contracts';
import { type Details, type EvaluationContext, failed } from '@tidegate/evaluation';
import type { SdkErrorCode } from './errors.ts';
import type { FlagSink, FlagSource, OpenSource } from './flag-source.port.ts';
import { Freshness } from './freshness.loop.ts';
import { type Listener, Listeners } from './listeners.ts';
import { type FlagChange, LocalFlags } from './local-flags.ts';
import type { Mode, Tidegate, TidegateStatus } from './tidegate.port.ts';

const READY_TIMEOUT_MS = 10_000;

type Report = (error: AppError<SdkErrorCode>) => void;

/** Answers from the flags that its source brings. */
export class TidegateClient implements Tidegate {
  readonly #flags = new LocalFlags();
  readonly #freshness: Freshness;
  readonly #changes: Listeners<FlagChange>;
  readonly #statuses: Listeners<TidegateStatus>;
  readonly #report: Report;
  readonly #source: FlagSource;
  #lastError: AppError | undefined;

  constructor(staleAfterMs: number, report: Report, open: OpenSource) {
    this.#report = report;
    const listenerFailed = (error: unknown) => {
      report(
        new AppError('SDK_LISTENER_FAILED', `A listener failed: ${messageOf(error)}`, {
          cause: error,
        }),
      );
    };
    this.#changes = new Listeners(listenerFailed);
    this.#statuses = new Listeners(listenerFailed);
    this.#freshness = new Freshness(staleAfterMs, () => {
      this.#statuses.notify(this.status);
    });
    this.#source = open(this.#sink());
  }

  get status(): TidegateStatus {
    const { state, ageMs } = this.#freshness;
    return { state, ageMs, digest: this.#flags.digest };
  }

  async ready(timeoutMs = READY_TIMEOUT_MS): Promise<void> {
    let stop = () => {};
    let timer: NodeJS.Timeout | undefined;
    const settled = new Promise<void>((resolve, reject) => {
      const look = ({ state, ageMs }: TidegateStatus) => {
        if (state === 'closed') reject(this.#notReady('The client is closed.'));
        else if (ageMs !== undefined) resolve();
      };
      stop = this.onStatus(look);
      // Not unref'd: who waits wants the process to wait.
      timer = setTimeout(() => {
        reject(this.#notReady(`No flags came within ${timeoutMs} ms.`));
      }, timeoutMs);
      look(this.status);
    });
    try {
      await settled;
    } finally {
      clearTimeout(timer);
      stop();
    }
  }

  boolean(key: string, defaultValue: boolean, context?: EvaluationContext): boolean {
    return this.details(key, defaultValue, context).value;
  }

  string(key: string, defaultValue: string, context?: EvaluationContext): string {
    return this.details(key, defaultValue, context).value;
  }

  number(key: string, defaultValue: number, context?: EvaluationContext): number {
    return this.details(key, defaultValue, context).value;
  }

  object<T extends object>(key: string, defaultValue: T, context?: EvaluationContext): T {
    return this.details(key, defaultValue, context).value;
  }

  mode(key: string, defaultValue: Mode, context?: EvaluationContext): Mode {
    const { value } = this.details<string>(key, defaultValue, context);
    return modes.find((mode) => mode === value) ?? defaultValue;
  }

  details<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T> {
    if (this.#freshness.state === 'ready') return this.#flags.evaluate(key, defaultValue, context);
    const { ageMs } = this.#freshness;
    if (ageMs === undefined)
      return failed(defaultValue, 'PROVIDER_NOT_READY', 'No flags have come yet.');
    const details = this.#flags.evaluate(key, defaultValue, context);
    return details.reason === 'ERROR' ? details : stale(details, ageMs);
  }

  onChange(key: string, listener: Listener<FlagChange>): () => void {
    if (key === '*') return this.#changes.add(listener);
    return this.#changes.add((change) => (change.key === key ? listener(change) : undefined));
  }

  onStatus(listener: Listener<TidegateStatus>): () => void {
    return this.#statuses.add(listener);
  }

  close(): Promise<void> {
    this.#freshness.close();
    return this.#source.close();
  }

  #sink(): FlagSink {
    const flags = this.#flags;
    return {
      get digest(): string {
        return flags.digest;
      },
      applied: () => flags.appliedInRollouts(),
      sync: (states) =>
        this.#apply(states, () => {
          this.#lastError = undefined;
          this.#freshness.synced();
        }),
      apply: (states) => this.#apply(states),
      heard: () => {
        this.#freshness.heard();
      },
      failed: (error) => {
        this.#lastError = error;
        this.#report(error);
      },
    };
  }

  /** Whoever listens finds the new flags and the new status already in place. */
  #apply(states: readonly FlagRecord[], thenHeard = () => {}): readonly FlagChange[] {
    const changes = this.#flags.apply(states, Date.now());
    thenHeard();
    for (const change of changes) this.#changes.notify(change);
    return changes;
  }

  #notReady(sentence: string): AppError<SdkErrorCode> {
    const cause = this.#lastError;
    return new AppError(
      'SDK_NOT_READY',
      cause ? `${sentence} Last problem: ${cause.message}` : sentence,
      { retryable: true, cause },
    );
  }
}

const stale = <T>(details: Details<T>, ageMs: number): Details<T> => ({
  ...details,
  reason: 'STALE',
  flagMetadata: { ...details.flagMetadata, ageMs: Math.round(ageMs) },
});
