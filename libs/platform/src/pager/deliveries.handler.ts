import type { Logger } from 'pino';
import type { SendWebhook, Sent } from '../webhook/webhook.http.ts';

export interface PageLetter {
  /** The same at every attempt. */
  readonly id: string;
  readonly body: string;
}

export type DeliveryOutcome = 'delivered' | 'failed' | 'given-up';

export interface DeliveryOptions {
  readonly send: SendWebhook;
  readonly log: Logger;
  readonly counted: (outcome: DeliveryOutcome) => void;
  /** Waits after failed attempts; the last one is repeated. */
  readonly waitsMs?: readonly number[];
}

const WAITS_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000];
/** About half an hour; by then there have been reminders, which are tried as well. */
const MOST_ATTEMPTS = 36;
/** About two minutes: a receiver that is being replaced may refuse everything for a while, and those behind wait. */
const MOST_REFUSALS = 8;
const MOST_WAITING = 100;

/**
 * Brings pages to their receiver, in order, one at a time, each until it is taken or given up. They are in memory
 * only: what remembers things may be what is broken.
 */
export class Deliveries {
  readonly #options: DeliveryOptions;
  readonly #stopping = new AbortController();
  #waiting: PageLetter[] = [];
  #running: Promise<void> | undefined;
  #failure: string | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Returns at once. */
  add(letter: PageLetter): void {
    this.#waiting.push(letter);
    if (this.#waiting.length > MOST_WAITING) this.#giveUp(this.#waiting.shift(), 'too many wait');
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Before the process ends: past all that waits, and no longer than this. */
  async now(letter: PageLetter, longestMs: number): Promise<void> {
    const signal = AbortSignal.timeout(longestMs);
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      if ((await this.#attempt(letter, attempt, signal))?.delivered) return;
      await pause(Math.min(this.#waitMs(attempt), longestMs / 4), signal);
    }
    this.#giveUp(letter, 'the process ends');
  }

  /** Why the last attempt failed; undefined if it did not. */
  get failure(): string | undefined {
    return this.#failure;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets what is on its way arrive, for so long; then it is cut off. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stopping.abort(), graceMs);
    await this.#running;
    clearTimeout(timer);
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let [letter] = this.#waiting; letter && !signal.aborted; [letter] = this.#waiting) {
      await this.#deliver(letter, signal);
      if (this.#waiting[0] === letter) this.#waiting.shift();
    }
  }

  async #deliver(letter: PageLetter, signal: AbortSignal): Promise<void> {
    let refusals = 0;
    for (let attempt = 1; attempt <= MOST_ATTEMPTS && !signal.aborted; attempt += 1) {
      const sent = await this.#attempt(letter, attempt, signal);
      if (sent?.delivered) return;
      if (sent?.retryable === false) refusals += 1;
      if (refusals === MOST_REFUSALS) break;
      await pause(this.#waitMs(attempt), signal);
    }
    this.#giveUp(letter, this.#failure ?? 'the service stops');
  }

  async #attempt(
    letter: PageLetter,
    attempt: number,
    signal: AbortSignal,
  ): Promise<Sent | undefined> {
    const { send, log, counted } = this.#options;
    const sent = await send({ ...letter, attempt }, signal);
    if (sent === undefined) return undefined;
    this.#failure = sent.delivered ? undefined : sent.message;
    counted(sent.delivered ? 'delivered' : 'failed');
    if (sent.delivered) return sent;
    const fields = { page: letter.id, attempt, reason: sent.message };
    log[attempt === 1 ? 'error' : 'debug'](fields, 'a page was not delivered');
    return sent;
  }

  #waitMs(attempt: number): number {
    const { waitsMs = WAITS_MS } = this.#options;
    return waitsMs[Math.min(attempt, waitsMs.length) - 1] ?? 0;
  }

  #giveUp(letter: PageLetter | undefined, reason: string): void {
    this.#options.counted('given-up');
    this.#options.log.error({ page: letter?.id, reason }, 'a page was given up: nobody was told');
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
    signal.addEventListener('abort', done);
  });
}
