import { type Clock, isRejection } from '@tidegate/kernel';
import { type Exposition, readExposition } from './exposition.ts';
import type { ReadFailure } from './failures.ts';
import type { MetricsSource, Reading, ReadRequest } from './metrics-source.port.ts';
import { pickReading, targetsOf } from './reading.ts';

export interface ScrapeOptions {
  readonly clock: Clock;
  /** Of one request, from connecting to the last byte; ms. */
  readonly timeoutMs?: number;
  /** Of one answer, decompressed. */
  readonly maxBytes?: number;
  /** An answer that is not older, ms, is given to the next caller too. */
  readonly shareForMs?: number;
}

/** What a target gave: failures are shared like answers, so a dead target is not asked again by every rollout. */
type Scraped = { readonly at: number } & (
  { readonly exposition: Exposition } | { readonly failure: ReadFailure; readonly message: string }
);
interface Scrape {
  readonly at: number;
  done: boolean;
  readonly result: Promise<Scraped>;
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

  const scrapeOf = (target: string): Promise<Scraped> => {
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
      const wanted = targetsOf(requests);
      return Promise.all(
        [...wanted].map(async ([target, metrics]) =>
          pickReading(target, metrics, await scrapeOf(target)),
        ),
      );
    },
  };
}

/** Never rejects. */
async function scrape(
  target: string,
  at: number,
  limits: { timeoutMs: number; maxBytes: number },
): Promise<Scraped> {
  const failed = (failure: ReadFailure, what: string): Scraped => ({
    at,
    failure,
    message: `${withoutSecrets(target)} ${what}.`,
  });
  if (!isAllowed(target))
    return failed('not-allowed', 'is not an http or https address without credentials');
  const signal = AbortSignal.timeout(limits.timeoutMs);
  try {
    const response = await fetch(target, {
      signal,
      headers: { accept: 'text/plain;version=0.0.4;q=1,*/*;q=0.1' },
    });
    if (!response.ok) {
      await response.body?.cancel();
      return failed('bad-status', `answered ${response.status}`);
    }
    const text = await readText(response, limits.maxBytes);
    if (text === undefined)
      return failed('too-large', `answered with more than ${limits.maxBytes} bytes`);
    if (mayBeCut(response, text))
      return failed('unparsable', 'answered with a text that ends within a line');
    const openMetrics = response.headers.get('content-type')?.includes('openmetrics') ?? false;
    const exposition = readExposition(text, { at, timestampMs: openMetrics ? 1_000 : 1 });
    return isRejection(exposition)
      ? failed('unparsable', `answered with something else than metrics: ${exposition.message}`)
      : { at, exposition };
  } catch (error) {
    const cause = causeOf(error);
    return signal.aborted || cause.includes('TIMEOUT') || cause === 'ETIMEDOUT'
      ? failed('timeout', `did not answer within ${limits.timeoutMs} ms`)
      : failed('unreachable', `could not be read: ${cause}`);
  }
}

/** Undefined once it is larger than `maxBytes`; the rest is not fetched. */
async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let size = 0;
  let text = '';
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Where neither length nor chunks tell the end, only a line feed does; a cut value would look like a restart. */
const mayBeCut = ({ headers }: Response, text: string): boolean =>
  text !== '' &&
  !text.endsWith('\n') &&
  !headers.has('content-length') &&
  !headers.has('transfer-encoding');

function isAllowed(target: string): boolean {
  if (!URL.canParse(target)) return false;
  const { protocol, username, password } = new URL(target);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}

function withoutSecrets(target: string): string {
  if (!URL.canParse(target)) return target;
  const url = new URL(target);
  url.username = '';
  url.password = '';
  return url.href;
}

/** undici says "fetch failed" or "terminated" and puts what happened into the cause. */
function causeOf(error: unknown): string {
  const cause = fieldOf(error, 'cause');
  return String(fieldOf(cause, 'code') ?? fieldOf(cause, 'message') ?? fieldOf(error, 'message'));
}

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[field]
    : undefined;
