import { type Clock, isRejection } from '@tidegate/kernel';
import { readExposition } from './exposition.ts';
import type { ReadFailure } from './failures.ts';
import { type FetchLimits, isAllowed, withoutSecrets } from './fetch-text.http.ts';
import { fetchRetried } from './guarded-fetch.http.ts';
import type { MetricsSource, Reading, ReadRequest } from './metrics-source.port.ts';
import { type Given, pickReading, wantedOf } from './reading.ts';

export interface ScrapeOptions {
  readonly clock: Clock;
  /** Of one request, from connecting to the last byte; ms. */
  readonly timeoutMs?: number;
  /** Of one answer, decompressed. */
  readonly maxBytes?: number;
  /** An answer that is not older, ms, is given to the next caller too. */
  readonly shareForMs?: number;
}

/** Failures are shared like answers, so a dead target is not asked again by every rollout. */
interface Scrape {
  readonly at: number;
  done: boolean;
  readonly result: Promise<Given>;
}

/**
 * Reads the Prometheus text of the targets themselves. Targets are asked in parallel, each at most once at a time: a
 * scrape that is under way, was begun after the wanted instant, or is not older than `shareForMs` answers everybody.
 */
export function scrapeSource({
  clock,
  timeoutMs = 3_000,
  maxBytes = 16 * 1024 * 1024,
  shareForMs = 500,
}: ScrapeOptions): MetricsSource {
  const scrapes = new Map<string, Scrape>();

  const scrapeOf = (target: string): Promise<Given> => {
    const known = scrapes.get(target);
    if (known) return known.result;
    const at = clock.now();
    const result = scrape(target, at, { timeoutMs, maxBytes });
    const entry: Scrape = { at, done: false, result };
    scrapes.set(target, entry);
    void result.then(() => {
      entry.done = true;
    });
    return result;
  };

  return {
    async read(requests: readonly ReadRequest[], at: number): Promise<readonly Reading[]> {
      const now = clock.now();
      for (const [target, { done, at: taken }] of scrapes) {
        const fits = taken <= now && (taken >= at || now - taken <= shareForMs);
        if (done && !fits) scrapes.delete(target);
      }
      return Promise.all(
        [...wantedOf(requests)].map(async ([target, wanted]) =>
          pickReading(target, wanted, await scrapeOf(target)),
        ),
      );
    },
  };
}

/** As Prometheus asks, so that metrics have the names here that they have there: OpenMetrics adds `_total`. */
const OPEN_METRICS = 'application/openmetrics-text';
const ACCEPT =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

/** Never rejects. */
async function scrape(target: string, at: number, limits: FetchLimits): Promise<Given> {
  const failed = (failure: ReadFailure, what: string): Given => ({
    at,
    failure,
    message: `${withoutSecrets(target)} ${what}.`,
  });
  if (!isAllowed(target))
    return failed('not-allowed', 'is not an http or https address without credentials');
  const fetched = await fetchRetried(target, limits, {
    headers: { accept: ACCEPT },
  });
  if ('failure' in fetched) return failed(fetched.failure, fetched.what);
  const { headers, text } = fetched;
  const openMetrics = headers.get('content-type')?.startsWith(OPEN_METRICS) ?? false;
  if (!openMetrics && mayBeCut(headers, text))
    return failed('unparsable', 'answered with a text that ends within a line');
  const exposition = readExposition(text, { at, openMetrics });
  return isRejection(exposition)
    ? failed('unparsable', `answered with something else than metrics: ${exposition.message}`)
    : { at, exposition };
}

/** Where neither length nor chunks tell the end, only a line feed does; a cut value would look like a restart. */
const mayBeCut = (headers: Headers, text: string): boolean =>
  text !== '' &&
  !text.endsWith('\n') &&
  !headers.has('content-length') &&
  !headers.has('transfer-encoding');
