import { createHash } from 'node:crypto';
import type { Bus } from '@tidegate/bus';
import type { Clock } from '@tidegate/kernel';
import type { Store } from '@tidegate/store';
import type { Logger } from 'pino';
import { conditionsOf } from './conditions.ts';
import type { Deliveries, PageLetter } from './deliveries.handler.ts';
import type { SelfKnowledge } from './facts.handler.ts';
import type { Known } from './known.ts';
import { type Book, firing, nextPages, type Page, pagePolicy } from './page.ts';
import { Probe } from './probe.loop.ts';
import { asked, type Reach } from './reach.ts';

export interface PagerOptions extends Pick<
  Known,
  'service' | 'busAddress' | 'storeAddress' | 'afterMs'
> {
  /** Replicas have the same conditions, each its own pages. */
  readonly instance: string;
  readonly bus: Bus;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly self: SelfKnowledge;
  readonly deliveries: Deliveries;
  readonly counted: (page: Page) => void;
}

/** While all is well, bus and store are asked this often; else at every look. */
const ASK_MS = 3_000;
const ANSWER_WITHIN_MS = 2_000;
/** The end of the process is put off for so long at most. */
export const LAST_WORDS_MS = 3_000;

/** Looks at what the service knows of itself, and has people paged: past the bus and the store. */
export class Pager {
  readonly #options: PagerOptions;
  readonly #busProbe: Probe;
  readonly #storeProbe: Probe;
  readonly #review: Probe;
  #bus: Reach = {};
  #store: Reach = {};
  #askedAt = Number.NEGATIVE_INFINITY;
  #book: Book = new Map();

  constructor(options: PagerOptions) {
    this.#options = options;
    this.#busProbe = new Probe(() => options.bus.check());
    this.#storeProbe = new Probe(() => options.store.check());
    this.#review = new Probe(() => options.self.review(options.bus));
  }

  /** One look. A page is delivered beside it. */
  async look(): Promise<void> {
    const { clock, self, deliveries, afterMs } = this.#options;
    await this.#ask();
    // Without an answer, whoever lagged still lags.
    if (this.#bus.awaySince === undefined) await this.#review.ask(ANSWER_WITHIN_MS);
    const now = clock.now();
    const { book, pages } = nextPages(
      this.#book,
      conditionsOf({ ...this.#options, ...self.facts(), bus: this.#bus, store: this.#store }, now),
      now,
      pagePolicy(afterMs),
    );
    this.#book = book;
    for (const page of pages) {
      this.#note(page);
      deliveries.add(this.#letter(page));
    }
  }

  /** Tells that the process ends now, and why. Resolves when that is delivered, or soon. */
  async lastWords(title: string, text: string): Promise<void> {
    const { clock, deliveries } = this.#options;
    const since = clock.now();
    const kind = 'fired';
    const page: Page = {
      name: 'process-ends',
      kind,
      severity: 'critical',
      title,
      text,
      since,
      count: 1,
    };
    this.#note(page);
    await deliveries.now(this.#letter(page), LAST_WORDS_MS);
  }

  /** What people were told of and that is not over. */
  get firing(): readonly string[] {
    return firing(this.#book);
  }

  async #ask(): Promise<void> {
    const { clock, afterMs } = this.#options;
    const isWell = this.#bus.awaySince === undefined && this.#store.awaySince === undefined;
    if (isWell && clock.now() - this.#askedAt < Math.min(ASK_MS, afterMs / 5)) return;
    const within = Math.min(ANSWER_WITHIN_MS, afterMs);
    const [bus, store] = await Promise.all([
      this.#busProbe.ask(within),
      this.#storeProbe.ask(within),
    ]);
    this.#askedAt = clock.now();
    this.#bus = asked(this.#bus, bus, this.#askedAt);
    this.#store = asked(this.#store, store, this.#askedAt);
  }

  #note(page: Page): void {
    const { log, counted } = this.#options;
    counted(page);
    const { name, kind, title } = page;
    log[kind === 'resolved' ? 'warn' : 'error']({ page: name, kind, title }, 'a person is paged');
  }

  #letter(page: Page): PageLetter {
    return letterOf(page, this.#options, this.#options.clock.now());
  }
}

/** The body of the webhook, of the form that the notifier's have: `thread` is what belongs together. */
export function letterOf(
  { name, kind, severity, title, text, since, count }: Page,
  { service, instance }: Pick<PagerOptions, 'service' | 'instance'>,
  now: number,
): PageLetter {
  const thread = `${service}/${name}`;
  const status = kind === 'resolved' ? 'resolved' : 'firing';
  const id = createHash('sha256').update([thread, instance, since, count].join('\n')).digest('hex');
  const labels = { event: 'Page', service, instance, condition: name, status };
  const data = {
    thread,
    title,
    text,
    severity,
    status,
    since: new Date(since).toISOString(),
    labels,
  };
  return {
    id: `page-${id.slice(0, 32)}`,
    body: JSON.stringify({ type: 'tidegate.Page', timestamp: new Date(now).toISOString(), data }),
  };
}
