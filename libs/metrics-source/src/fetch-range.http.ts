import type { Selector } from '@tidegate/contracts';
import { type Clock, isRejection } from '@tidegate/kernel';
import { isAllowed, withoutSecrets } from './fetch-text.http.ts';
import { type Failure, isFailure, PrometheusClient } from './prometheus-client.http.ts';
import { selectorText } from './prometheus-query.ts';
import { familiesOf, upOf } from './prometheus-reading.ts';
import { RangePages } from './range-pages.http.ts';
import { endedByStep, withEnds } from './recorded-ends.ts';
import type { RecordedSeries } from './recorded-series.ts';
import type { RecordedText } from './recorded-text.ts';

/** What is wanted of a Prometheus' past. */
export interface RangeRequest {
  readonly url: string;
  /** Value of the header Authorization. */
  readonly authorization?: string | undefined;
  readonly selectors: readonly Selector[];
  /** Expressions, evaluated at each step. */
  readonly queries?: readonly string[];
  /** From when until when, ms since 1970. */
  readonly from: number;
  readonly to: number;
  /** Between two evaluations of an expression. */
  readonly stepMs: number;
}

export interface RangeOptions {
  readonly clock: Clock;
  /** Of one request; ms. */
  readonly timeoutMs?: number;
  /** Of one answer. What is larger is asked for in shorter pages. */
  readonly maxBytes?: number;
  /** Of all series together: what is larger is refused, as it is kept in memory. */
  readonly maxPoints?: number;
}

/** What was recorded by a Prometheus; the series of an expression are named by it. */
export interface RecordedRange extends RecordedText {
  /** Alerting rules that it has now. */
  readonly rules: readonly string[];
}

/**
 * Raw samples of the selected series with the times of their scrapes and the ends of series, and what expressions gave, as a
 * recording for `seriesSource`. It is read in pages, each no larger than `maxBytes`; the `up` of the targets comes along.
 */
export async function fetchRange(
  request: RangeRequest,
  { clock, timeoutMs = 30_000, maxBytes = 32 * 1024 * 1024, maxPoints = 10_000_000 }: RangeOptions,
): Promise<RecordedRange | Failure> {
  const { url, authorization, queries = [], to, stepMs } = request;
  if (!isAllowed(url))
    return {
      failure: 'not-allowed',
      message: `${withoutSecrets(url)} is not an http or https address without credentials.`,
    };
  const client = new PrometheusClient(url, {
    clock,
    timeoutMs,
    maxBytes,
    authorization,
    maxSkewMs: 15_000,
    breakAfter: 5,
    breakForMs: 5_000,
  });
  const pages = new RangePages(client, request, maxPoints);
  const failure = await readAll(client, pages, request);
  if (failure) return failure;
  const known = await knownTo(client, request);
  if (isFailure(known)) return known;
  const answers = queries.flatMap((query) => answersOf(pages.evaluated(query), query));
  return {
    ...known,
    series: [
      ...withEnds(pages.series(), to),
      ...answers.map((each) => endedByStep(each, stepMs, to)),
    ],
  };
}

/** An expression that gave nothing is known to have given nothing. */
const answersOf = (series: readonly RecordedSeries[], query: string): readonly RecordedSeries[] =>
  series.length > 0 ? series : [{ name: query, labels: {}, points: [] }];

async function readAll(
  client: PrometheusClient,
  pages: RangePages,
  { selectors, queries = [] }: RangeRequest,
): Promise<Failure | undefined> {
  for (const selector of selectors) {
    const text = selectorText(selector);
    if (isRejection(text)) return client.failed('query-failed', `was not asked: ${text.message}`);
    const failure = await pages.readSeries(text);
    if (failure) return failure;
  }
  const up = selectorText(upOf(pages.series().map(({ labels }) => labels)));
  const failure = pages.isEmpty || isRejection(up) ? undefined : await pages.readSeries(up);
  if (failure) return failure;
  for (const query of queries) {
    const failed = await pages.evaluate(query);
    if (failed) return failed;
  }
  return undefined;
}

/** Metrics that its targets declare, and its rules: of now, as nobody keeps those of the past. */
async function knownTo(
  client: PrometheusClient,
  { selectors }: RangeRequest,
): Promise<Pick<RecordedRange, 'declared' | 'rules'> | Failure> {
  const declared: string[] = [];
  for (const metric of new Set(selectors.map((each) => each.metric))) {
    const lists = await Promise.all(familiesOf(metric).map((family) => client.targets(family)));
    const failed = lists.find(isFailure);
    if (failed) return failed;
    if (lists.some((list) => !isFailure(list) && list.targets.length > 0)) declared.push(metric);
  }
  const rules = await client.rules();
  return isFailure(rules) ? rules : { declared, rules: [...rules.keys()] };
}
