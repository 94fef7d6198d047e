import { type Clock, isRejection, type Rejection } from '@tidegate/kernel';
import type { ReadFailure } from './failures.ts';
import { type FetchLimits, withoutSecrets } from './fetch-text.http.ts';
import { GuardedFetch } from './guarded-fetch.http.ts';
import { readRules, readTargets, type RuleHealth } from './prometheus-answer.ts';

export interface ClientOptions extends FetchLimits {
  readonly clock: Clock;
  /** Value of the header Authorization. */
  readonly authorization: string | undefined;
  /** Its clock and ours may be so far apart; ms. */
  readonly maxSkewMs: number;
  /** After so many requests in a row without an answer it is left alone for `breakForMs`. */
  readonly breakAfter: number;
  readonly breakForMs: number;
}

export interface Failure {
  readonly failure: ReadFailure;
  /** A sentence that names the server. */
  readonly message: string;
}
export const isFailure = (answer: object): answer is Failure => 'failure' in answer;

type Labels = Readonly<Record<string, string>>;
/** So many targets that declare a metric are looked at. */
const MOST_TARGETS = 1_000;

/** The HTTP API of one Prometheus. Nothing here rejects. */
export class PrometheusClient {
  readonly #url: string;
  readonly #options: ClientOptions;
  readonly #guarded: GuardedFetch;

  constructor(url: string, options: ClientOptions) {
    this.#url = url;
    this.#options = options;
    this.#guarded = new GuardedFetch(options, options);
  }

  /** What `read` makes of the answer to one request; with the status of an answer that is refused. */
  async call<T extends object>(
    path: string,
    body: URLSearchParams | undefined,
    read: (text: string) => T | Rejection,
  ): Promise<{ readonly value: T } | (Failure & { readonly status?: number })> {
    const { authorization } = this.#options;
    const fetched = await this.#guarded.fetch(`${this.#url.replace(/\/$/, '')}${path}`, {
      readErrors: true,
      headers: { accept: 'application/json', ...(authorization ? { authorization } : {}) },
      ...(body === undefined ? {} : { method: 'POST', body }),
    });
    if ('failure' in fetched) return this.failed(fetched.failure, fetched.what);
    const { ok, status, text, headers } = fetched;
    const value = read(text);
    if (isRejection(value) || !ok)
      return { ...this.#refused(ok, status, isRejection(value) ? value : undefined), status };
    return this.#skewed(headers) ?? { value };
  }

  /** Labels of the targets that declare a family of metrics; none where the server keeps no such list. */
  async targets(family: string): Promise<{ readonly targets: readonly Labels[] } | Failure> {
    const parameters = { metric: family, limit: String(MOST_TARGETS) };
    const path = `/api/v1/targets/metadata?${new URLSearchParams(parameters).toString()}`;
    const answer = await this.call(path, undefined, readTargets);
    if (!isFailure(answer)) return { targets: answer.value };
    return answer.status === 404 ? { targets: [] } : answer;
  }

  /** Alerting rules; none where the server keeps none. */
  async rules(): Promise<RuleHealth | Failure> {
    const answer = await this.call('/api/v1/rules?type=alert', undefined, (text) =>
      readRules(text, this.#options.clock.now()),
    );
    if (!isFailure(answer)) return answer.value;
    return answer.status === 404 ? new Map<string, null>() : answer;
  }

  failed = (failure: ReadFailure, what: string): Failure => ({
    failure,
    message: `${withoutSecrets(this.#url)} ${what}.`,
  });

  #refused(ok: boolean, status: number, rejection: Rejection | undefined): Failure {
    if (rejection?.code === 'QUERY_TIMEOUT')
      return this.failed('timeout', `gave up: ${rejection.message}`);
    if (rejection?.code === 'QUERY_FAILED')
      return this.failed('query-failed', `answered ${rejection.message}`);
    if (!ok) return this.failed('bad-status', `answered ${status}`);
    const what = rejection?.message ?? 'nothing';
    return this.failed('unparsable', `answered with something else than series: ${what}`);
  }

  /** An instant that is meant by our clock is another one by a clock that is wrong. */
  #skewed(headers: Headers): Failure | undefined {
    const { clock, maxSkewMs } = this.#options;
    const theirs = Date.parse(headers.get('date') ?? '');
    const skewMs = theirs - clock.now();
    if (!(Math.abs(skewMs) > maxSkewMs)) return undefined; // also where it tells no time
    const by = `${Math.round(Math.abs(skewMs) / 1_000)} s ${skewMs > 0 ? 'ahead of' : 'behind'}`;
    return this.failed(
      'clock-skew',
      `has a clock that is ${by} Tidegate's: one of the two is wrong`,
    );
  }
}
