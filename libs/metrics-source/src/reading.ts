import type { Selector } from '@tidegate/contracts';
import type { Exposition } from './exposition.ts';
import type { ReadFailure } from './failures.ts';
import type {
  FailedReading,
  QueryAnswer,
  Reading,
  ReadRequest,
  Sample,
  TakenReading,
} from './metrics-source.port.ts';
import { isSelected } from './series.ts';

/** All that is wanted of one target, each thing once. */
export interface Wanted {
  readonly metrics: ReadonlySet<string>;
  /** At least one for each metric: without labels for one that is wanted whole. */
  readonly selectors: readonly Selector[];
  readonly queries: readonly string[];
  readonly rules: readonly string[];
}

/** By target, targets in the order in which they first stand. */
export function wantedOf(requests: readonly ReadRequest[]): Map<string, Wanted> {
  const targets = new Set(requests.map(({ target }) => target));
  return new Map(
    [...targets].map((target) => [target, wantedBy(requests.filter((r) => r.target === target))]),
  );
}

function wantedBy(requests: readonly ReadRequest[]): Wanted {
  const selectors = requests.flatMap(({ metrics, selectors: named = [] }) =>
    metrics.flatMap((metric) => {
      const ofMetric = named.filter((each) => each.metric === metric);
      return ofMetric.length > 0 ? ofMetric : [{ metric, where: {} }];
    }),
  );
  const once = new Map(selectors.map((each) => [JSON.stringify(each), each]));
  return {
    metrics: new Set(requests.flatMap(({ metrics }) => metrics)),
    selectors: [...once.values()],
    queries: [...new Set(requests.flatMap(({ queries = [] }) => queries))],
    rules: [...new Set(requests.flatMap(({ rules = [] }) => rules))],
  };
}

/** What a target gave when it was asked. */
export type Given = { readonly at: number } & (
  { readonly exposition: Exposition } | { readonly failure: ReadFailure; readonly message: string }
);

/** Of one metric: nobody judges more, and a label with an endless number of values must not fill the memory. */
export const MOST_SERIES = 5_000;

/** What one caller gets of what a target gave; where that is too much, what its selectors choose. */
export function pickReading(target: string, wanted: Wanted, given: Given): Reading {
  const { at } = given;
  if ('failure' in given)
    return { outcome: 'failed', target, at, failure: given.failure, message: given.message };
  const { samples, declared } = given.exposition;
  const bounded = boundedOf(target, wanted, at, (name) =>
    chosenOf(wanted, name, samples.get(name) ?? []),
  );
  if ('failure' in bounded) return bounded;
  const { metrics, ...rest } = bounded;
  return {
    outcome: 'taken',
    target,
    at,
    declared: metrics.filter((name) => declared.has(name)),
    ...rest,
    ...cannotEvaluate(target, wanted),
  };
}

/** What is read of the metrics that have no more series than can be; the others fail, each by itself. */
export function boundedOf(
  target: string,
  { metrics, selectors }: Wanted,
  at: number,
  samplesOf: (metric: string) => readonly Sample[],
): FailedReading | (Pick<TakenReading, 'samples' | 'unread'> & { metrics: readonly string[] }) {
  const samples: Sample[] = [];
  const refused = new Map<string, FailedReading>();
  for (const name of metrics) {
    const found = samplesOf(name);
    if (found.length > MOST_SERIES) refused.set(name, tooLarge(target, at, name, found.length));
    else samples.push(...found);
  }
  const [first] = refused.values();
  if (first === undefined) return { metrics: [...metrics], samples };
  if (refused.size === metrics.size) return first;
  const unread = selectors.flatMap((selector) => {
    const failed = refused.get(selector.metric);
    return failed ? [{ selector, failure: failed.failure, message: failed.message }] : [];
  });
  return { metrics: [...metrics].filter((name) => !refused.has(name)), samples, unread };
}

function chosenOf(wanted: Wanted, name: string, samples: readonly Sample[]): readonly Sample[] {
  if (samples.length <= MOST_SERIES) return samples;
  const selectors = wanted.selectors.filter(({ metric }) => metric === name);
  return samples.filter((sample) => selectors.some((each) => isSelected(sample, each)));
}

const tooLarge = (target: string, at: number, metric: string, series: number): FailedReading => ({
  outcome: 'failed',
  target,
  at,
  failure: 'too-large',
  message: `${target} has ${series} series of ${metric}; at most ${MOST_SERIES} are read: name more labels.`,
});

/** A target that shows its counters answers no questions. */
function cannotEvaluate(target: string, { queries, rules }: Wanted): Partial<TakenReading> {
  const message = `${target} is scraped: it has no alerting rules and evaluates no expressions.`;
  const answer: QueryAnswer = { failure: 'query-failed', message };
  return {
    ...(queries.length > 0
      ? { answers: Object.fromEntries(queries.map((query) => [query, answer])) }
      : {}),
    ...(rules.length > 0
      ? { rules: [], ruleFailures: Object.fromEntries(rules.map((rule) => [rule, message])) }
      : {}),
  };
}
