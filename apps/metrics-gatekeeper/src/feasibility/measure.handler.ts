import { setTimeout as wait } from 'node:timers/promises';
import type { Plan } from '@tidegate/contracts';
import { readsOf, type Traffic } from '@tidegate/gates';
import type { Clock } from '@tidegate/kernel';
import type { MetricsSource, ReadRequest } from '@tidegate/metrics-source';
import { countingPlan, type Taken, trafficBetween, unknownOf } from './measured.ts';

export interface MeasureDeps {
  readonly source: MetricsSource;
  readonly clock: Clock;
  /** What is scraped directly has no past: it is asked twice, and so long apart. */
  readonly apartMs?: number;
}

/** Prometheus tells of a time that is past. */
const PAST_MS = 300_000;
const APART_MS = 5_000;

const isScraped = ({ target }: ReadRequest): boolean => /^https?:/.test(target);

/** How much of each metric there is now, from the last minutes, or from a few seconds where no past is kept. */
export async function measure(
  deps: MeasureDeps,
  plan: Plan,
  environment: string,
): Promise<Traffic> {
  const requests = readsOf(countingPlan(plan), environment, { overall: true });
  const [scraped, kept] = [requests.filter(isScraped), requests.filter((each) => !isScraped(each))];
  const [past, now] = await Promise.all([pastAndNow(deps, kept), twice(deps, scraped)]);
  return { ...trafficOf(plan, past, false), ...trafficOf(plan, now, true) };
}

/** The same without waiting: of what is scraped directly it is only said that nobody knows yet. */
export async function measureAtOnce(
  deps: MeasureDeps,
  plan: Plan,
  environment: string,
): Promise<Traffic> {
  const kept = readsOf(countingPlan(plan), environment, { overall: true }).filter(
    (each) => !isScraped(each),
  );
  const past = await pastAndNow(deps, kept);
  const unknown = scrapedMetrics(plan).map((name) => [
    name,
    unknownOf(
      plan.metrics[name],
      `${name} is scraped directly, so how much it counts is not known before it has been counted`,
    ),
  ]);
  return { ...Object.fromEntries(unknown), ...trafficOf(plan, past, false) };
}

type Two = readonly [first: Taken, last: Taken];

async function pastAndNow(
  { source, clock }: MeasureDeps,
  requests: readonly ReadRequest[],
): Promise<Two> {
  const at = clock.now();
  const [first, last] = await Promise.all(
    [at - PAST_MS, at].map((instant) => source.read(requests, instant)),
  );
  return [
    { readings: first ?? [], at: at - PAST_MS },
    { readings: last ?? [], at },
  ];
}

async function twice(
  { source, clock, apartMs = APART_MS }: MeasureDeps,
  requests: readonly ReadRequest[],
): Promise<Two> {
  const take = async (): Promise<Taken> => {
    const at = clock.now();
    return { readings: await source.read(requests, at), at };
  };
  const first = await take();
  if (requests.length > 0) await wait(apartMs);
  return [first, requests.length > 0 ? await take() : first];
}

/** Of the metrics that are scraped, or of the others. */
function trafficOf(plan: Plan, [first, last]: Two, scraped: boolean): Traffic {
  const known = new Set(scrapedMetrics(plan));
  return Object.fromEntries(
    Object.entries(trafficBetween(plan, first, last)).filter(
      ([name]) => known.has(name) === scraped,
    ),
  );
}

const scrapedMetrics = ({ metrics }: Plan): string[] =>
  Object.entries(metrics).flatMap(([name, metric]) =>
    'source' in metric && 'scrape' in metric.source ? [name] : [],
  );
