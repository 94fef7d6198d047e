import { readFileSync } from 'node:fs';
import { type Plan, readPlan } from '@tidegate/contracts';
import type { RecordedPoint, RecordedSeries } from '@tidegate/metrics-source';
import type { Recording } from './recording.ts';

/** When all recordings of specs begin. */
export const START = 1_700_000_000_000;

export function planFrom(text: string): Plan {
  const read = readPlan(text);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.plan;
}

export const demoPlan = (file: 'demo-healthy.yaml' | 'demo-broken.yaml'): Plan =>
  planFrom(readFileSync(new URL(`../../../../deploy/plans/${file}`, import.meta.url), 'utf8'));

/** A counter of which every scrape, `everyMs` apart, finds so many more. */
export function counter(
  name: string,
  labels: Record<string, string>,
  perScrape: (index: number) => number,
  { everyMs, scrapes }: { everyMs: number; scrapes: number },
): RecordedSeries {
  let total = 0;
  const points = Array.from({ length: scrapes }, (_, index): RecordedPoint => {
    total += perScrape(index);
    return [START + index * everyMs, total];
  });
  return { name, labels, points };
}

/** The demo's checkout: 50 requests a second, and a share of them that fails. */
export function checkout(feature: string, failing: number, minutes = 10): Recording {
  const scrape = { everyMs: 500, scrapes: minutes * 120 };
  const requests = (status: string, perScrape: (index: number) => number) =>
    counter('checkout_requests_total', { feature, variant: 'on', status }, perScrape, scrape);
  const failed = (index: number) =>
    Math.floor((index + 1) * 25 * failing) - Math.floor(index * 25 * failing);
  return {
    series: [
      requests('200', (index) => 25 - failed(index)),
      requests('500', failed),
      counter('checkout_invariant_violations_total', {}, () => 0, scrape),
    ],
  };
}
