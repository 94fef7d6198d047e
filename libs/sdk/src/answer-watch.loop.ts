import { AppError, canonicalJson, messageOf } from '@tidegate/kernel';
import type { Details } from '@tidegate/evaluation';
import { backOff } from './back-off.ts';
import type { SdkErrorCode } from './errors.ts';

/** A flag that answers differently than before, to one context. Without an answer `value` is undefined. */
export interface AnswerChange {
  readonly key: string;
  /** What the handler took last; at first, the answer when it was registered. */
  readonly before: Details;
  readonly after: Details;
  /** Of the flag's record; undefined if there is none. What changed may be a segment, or a flag that it builds on. */
  readonly version: number | undefined;
}

/** Not yet handed over: from which answer it leads is known only then. */
type Waiting = Omit<AnswerChange, 'before'>;

export type AnswerHandler = (change: AnswerChange) => void | Promise<void>;

export interface Watched {
  readonly key: string;
  answer(): Details;
  version(): number | undefined;
  failed(error: AppError<SdkErrorCode>): void;
}

const PATIENCE = { tries: 8, firstRetryMs: 250, longestRetryMs: 10_000 };
/** More changes than this do not wait for one handler: the newest are then told as one. */
const MOST_WAITING = 1_000;

/**
 * Hands the changes of one answer to one handler: in order, one after the other, each at least once. One that fails is
 * tried again, until it has failed too often or a newer one waits, so that the latest always gets through; it then leads
 * from the answer that the handler did take.
 */
export class AnswerWatch {
  readonly #watched: Watched;
  readonly #handler: AnswerHandler;
  readonly #patience: typeof PATIENCE;
  readonly #waiting: Waiting[] = [];
  #answer: Details;
  /** The newest answer that the handler took. */
  #taken: Details;
  #isBusy = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;

  constructor(watched: Watched, handler: AnswerHandler, patience = PATIENCE) {
    this.#patience = patience;
    this.#watched = watched;
    this.#handler = handler;
    this.#answer = watched.answer();
    this.#taken = this.#answer;
  }

  get key(): string {
    return this.#watched.key;
  }

  /** As it was last looked at. */
  get answer(): Details {
    return this.#answer;
  }

  /** To be called after everything that may have changed the answer. */
  look(): void {
    if (this.#isStopped) return;
    const after = this.#watched.answer();
    if (isSame(this.#answer, after)) return;
    this.#answer = after;
    if (this.#waiting.length >= MOST_WAITING) this.#waiting.pop();
    this.#waiting.push({ key: this.#watched.key, after, version: this.#watched.version() });
    this.#wake?.();
    void this.#drain();
  }

  /** The handler is not called any more; what it does already, it ends. */
  stop(): void {
    this.#isStopped = true;
    this.#waiting.length = 0;
    this.#wake?.();
  }

  async #drain(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift())
        await this.#handOver({ ...next, before: this.#taken });
    } finally {
      this.#isBusy = false;
    }
  }

  async #handOver(change: AnswerChange): Promise<void> {
    for (let attempt = 0; !this.#isStopped; attempt += 1) {
      const failure = await this.#call(change);
      if (!failure) this.#taken = change.after;
      if (!failure || this.#isStopped) return;
      this.#watched.failed(failure);
      if (attempt + 1 >= this.#patience.tries || this.#waiting.length > 0) {
        this.#giveUp(change, attempt + 1);
        return;
      }
      await this.#pause(backOff(attempt, Math.random(), this.#patience));
    }
  }

  async #call(change: AnswerChange): Promise<AppError<SdkErrorCode> | undefined> {
    try {
      await this.#handler(change);
      return undefined;
    } catch (error) {
      const message = `The handler of changes of ${change.key} failed: ${messageOf(error)}`;
      return new AppError('SDK_LISTENER_FAILED', message, { retryable: true, cause: error });
    }
  }

  #giveUp({ key, version }: AnswerChange, tries: number): void {
    const why = this.#waiting.length > 0 ? 'a newer one waits' : `it failed ${tries} times`;
    this.#watched.failed(
      new AppError('SDK_CHANGE_GIVEN_UP', `A change of ${key} was not taken: ${why}.`, {
        data: { key, version },
      }),
    );
  }

  /** Ends early when a newer change comes, or with the watch. Keeps no process alive. */
  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#timer = setTimeout(resolve, ms).unref();
    });
    clearTimeout(this.#timer);
    this.#wake = undefined;
  }
}

/** The same value of the same variant; why it is the answer may differ. */
function isSame(a: Details, b: Details): boolean {
  if (a.variant !== b.variant) return false;
  if (typeof a.value !== 'object' || typeof b.value !== 'object') return a.value === b.value;
  return canonicalJson(a.value) === canonicalJson(b.value);
}
