import {
  BrokenCircuitError,
  circuitBreaker,
  ConsecutiveBreaker,
  ConstantBackoff,
  handleWhenResult,
  retry,
} from 'cockatiel';
import type { Clock } from '@tidegate/kernel';
import { type Fetched, type FetchInit, type FetchLimits, fetchText } from './fetch-text.http.ts';

export interface BreakerOptions {
  readonly clock: Clock;
  /** So many requests in a row without an answer, and the server is not asked for a while. */
  readonly breakAfter: number;
  /** For how long; ms. Then one request tries it, and the others wait for what becomes of that. */
  readonly breakForMs: number;
}

/** A connection that breaks at once, such as one kept alive that the server has closed, is tried once more. */
const RETRIES = 1;
const RETRY_AFTER_MS = 50;

const retried = retry(
  handleWhenResult((fetched) => failureOf(fetched as Fetched) === 'unreachable'),
  { maxAttempts: RETRIES, backoff: new ConstantBackoff(RETRY_AFTER_MS) },
);

const failureOf = (fetched: Fetched) => ('failure' in fetched ? fetched.failure : undefined);

/** `fetchText` with one more attempt where there was no answer at all, both within the time of one. */
export function fetchRetried(url: string, limits: FetchLimits, init: FetchInit): Promise<Fetched> {
  const signal = AbortSignal.timeout(limits.timeoutMs);
  return retried.execute(() => fetchText(url, limits, { ...init, signal }), signal);
}

interface Attempt {
  readonly fetched: Fetched;
  /** Nothing was heard of the server from beginning to end: not even by others. */
  readonly silent: boolean;
}

/** Requests to one server, which is left alone while it does not answer. Never rejects. */
export class GuardedFetch {
  readonly #limits: FetchLimits;
  readonly #clock: Clock;
  readonly #breaker;
  #answers = 0;
  #silentSince: number | undefined;

  constructor(limits: FetchLimits, { clock, breakAfter, breakForMs }: BreakerOptions) {
    this.#limits = limits;
    this.#clock = clock;
    this.#breaker = circuitBreaker(
      handleWhenResult((attempt) => (attempt as Attempt).silent),
      { halfOpenAfter: breakForMs, breaker: new ConsecutiveBreaker(breakAfter) },
    );
  }

  async fetch(url: string, init: FetchInit): Promise<Fetched> {
    const attempt = () => this.#attempt(url, init);
    try {
      return (await this.#breaker.execute(attempt)).fetched;
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      const since = new Date(this.#silentSince ?? this.#clock.now()).toISOString();
      const what = `has not answered since ${since} and is tried again in a few seconds`;
      return { failure: 'unreachable', what };
    }
  }

  async #attempt(url: string, init: FetchInit): Promise<Attempt> {
    const begun = this.#clock.now();
    const before = this.#answers;
    const fetched = await fetchRetried(url, this.#limits, init);
    const failure = failureOf(fetched);
    if (failure !== 'unreachable' && failure !== 'timeout') {
      this.#answers += 1;
      this.#silentSince = undefined;
      return { fetched, silent: false };
    }
    const silent = this.#answers === before;
    if (silent) this.#silentSince ??= begun;
    return { fetched, silent };
  }
}
