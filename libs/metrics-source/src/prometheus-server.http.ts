import type { Selector } from '@tidegate/contracts';
import { isRejection } from '@tidegate/kernel';
import { TaskCancelledError, timeout, TimeoutStrategy } from 'cockatiel';
import { readPoints } from './prometheus-answer.ts';
import type { QueryAnswer } from './metrics-source.port.ts';
import {
  type ClientOptions,
  type Failure,
  isFailure,
  PrometheusClient,
} from './prometheus-client.http.ts';
import { queryOf, readSelected, type Selected, selectorText } from './prometheus-query.ts';

export interface ServerOptions extends ClientOptions {
  /** Of one selector; more are refused as too large. */
  readonly maxSeries: number;
  /** An answer of an instant that is not further away, ms, is given to the next caller too. */
  readonly shareForMs: number;
}

interface Shared {
  readonly at: number;
  readonly answer: Promise<unknown>;
  done: boolean;
}
interface Waiting {
  readonly selector: Selector;
  readonly text: string;
  readonly at: number;
  readonly resolve: (answer: Selected | Failure) => void;
}

/** So many selectors make one query. */
const MOST_IN_A_QUERY = 20;

/** One Prometheus, asked for much at once and for nothing twice. Nothing here rejects. */
export class PrometheusServer {
  readonly #client: PrometheusClient;
  readonly #options: ServerOptions;
  readonly #shared = new Map<string, Shared>();
  readonly #deadline;
  #waiting: Waiting[] = [];
  #forgotAt = -Infinity;

  constructor(url: string, options: ServerOptions) {
    this.#client = new PrometheusClient(url, options);
    this.#options = options;
    this.#deadline = timeout(options.timeoutMs, TimeoutStrategy.Aggressive);
  }

  /** What takes several requests, in the time of one. */
  async inTime<T>(work: () => Promise<T>): Promise<T | Failure> {
    try {
      return await this.#deadline.execute(work);
    } catch (error) {
      if (!(error instanceof TaskCancelledError)) throw error;
      const { timeoutMs } = this.#options;
      return this.#client.failed('timeout', `did not answer everything within ${timeoutMs} ms`);
    }
  }

  /** What it has of a selector at an instant; asked together with all that is wanted in this turn of the event loop. */
  select(selector: Selector, at: number): Promise<Selected | Failure> {
    const text = selectorText(selector);
    if (isRejection(text))
      return Promise.resolve(this.#client.failed('query-failed', `was not asked: ${text.message}`));
    return this.#once(text, at, () => {
      const answer = new Promise<Selected | Failure>((resolve) => {
        this.#waiting.push({ selector, text, at, resolve });
      });
      if (this.#waiting.length === 1) setImmediate(() => void this.#send());
      return answer;
    });
  }

  targets(family: string, at: number): ReturnType<PrometheusClient['targets']> {
    return this.#once(`targets of ${family}`, at, () => this.#client.targets(family));
  }

  /** What an expression gives, as it stands. A failure is this expression's alone. */
  evaluate(expression: string, at: number): Promise<QueryAnswer> {
    return this.#once(`query ${expression}`, at, async () => {
      const body = new URLSearchParams({ query: expression, time: String(at / 1_000) });
      const answer = await this.#client.call('/api/v1/query', body, readPoints);
      if (isFailure(answer)) return { failure: answer.failure, message: answer.message };
      const { length } = answer.value;
      const { maxSeries } = this.#options;
      return length > maxSeries
        ? this.#client.failed('too-large', `gave ${length} series, at most ${maxSeries} are read`)
        : { points: answer.value };
    });
  }

  rules(at: number): ReturnType<PrometheusClient['rules']> {
    return this.#once('rules', at, () => this.#client.rules());
  }

  #once<T>(key: string, at: number, ask: () => Promise<T>): Promise<T> {
    const known = this.#shared.get(key);
    if (known && this.#isNear(known, at)) return known.answer as Promise<T>;
    this.#forget(at);
    const answer = ask();
    const entry: Shared = { at, answer, done: false };
    this.#shared.set(key, entry);
    void answer.then(() => {
      entry.done = true;
    });
    return answer;
  }

  #isNear = (shared: { readonly at: number }, at: number): boolean =>
    Math.abs(shared.at - at) <= this.#options.shareForMs;

  /** What nobody can share any more, once in a while. */
  #forget(at: number): void {
    if (this.#isNear({ at: this.#forgotAt }, at)) return;
    this.#forgotAt = at;
    for (const [key, shared] of this.#shared)
      if (shared.done && !this.#isNear(shared, at)) this.#shared.delete(key);
  }

  async #send(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    await Promise.all(
      batchesOf(waiting, this.#options.shareForMs).map(([at, batch]) => this.#query(batch, at)),
    );
  }

  /** Where many are refused at once, each half is asked alone: nobody pays for another's selector. */
  async #query(wanted: readonly Waiting[], at: number): Promise<void> {
    const parameters = { query: queryOf(wanted.map(({ text }) => text)), time: String(at / 1_000) };
    const answer = await this.#client.call(
      '/api/v1/query',
      new URLSearchParams(parameters),
      (text) =>
        readSelected(
          text,
          wanted.map(({ selector }) => selector),
        ),
    );
    if (!isFailure(answer)) {
      for (const [index, { text, resolve }] of wanted.entries())
        resolve(this.#bounded(text, answer.value[index] ?? { samples: [], down: [] }));
      return;
    }
    if (wanted.length === 1 || !['query-failed', 'too-large'].includes(answer.failure)) {
      const { failure, message } = answer;
      // Of a server that is away it does not matter what it was asked for.
      for (const { text, resolve } of wanted)
        resolve(
          failure === 'unreachable'
            ? answer
            : { failure, message: `${message} Asked for: ${text}` },
        );
      return;
    }
    const half = Math.ceil(wanted.length / 2);
    const halves = [wanted.slice(0, half), wanted.slice(half)];
    await Promise.all(halves.map((each) => this.#query(each, at)));
  }

  #bounded(text: string, selected: Selected): Selected | Failure {
    const { maxSeries } = this.#options;
    const { length } = selected.samples;
    if (length <= maxSeries) return selected;
    const what = `has ${length} series of ${text}; at most ${maxSeries} are read: name more labels`;
    return this.#client.failed('too-large', what);
  }
}

/** What is wanted of about the same instant together, at the newest of these; no more than one query can hold. */
function batchesOf(waiting: readonly Waiting[], nearMs: number): [number, Waiting[]][] {
  const batches: [number, Waiting[]][] = [];
  for (const each of waiting.toSorted((a, b) => b.at - a.at)) {
    const [at, batch] = batches.at(-1) ?? [];
    if (at !== undefined && batch && batch.length < MOST_IN_A_QUERY && at - each.at <= nearMs)
      batch.push(each);
    else batches.push([each.at, [each]]);
  }
  return batches;
}
