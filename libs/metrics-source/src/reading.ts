import type { Selector } from '@tidegate/contracts';
import type { Exposition } from './exposition.ts';
import type { ReadFailure } from './failures.ts';
import type { QueryAnswer, Reading, ReadRequest, TakenReading } from './metrics-source.port.ts';

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

/** What one caller gets of what a target gave. */
export function pickReading(target: string, wanted: Wanted, given: Given): Reading {
  const { at } = given;
  if ('failure' in given)
    return { outcome: 'failed', target, at, failure: given.failure, message: given.message };
  const { samples, declared } = given.exposition;
  const metrics = [...wanted.metrics];
  return {
    outcome: 'taken',
    target,
    at,
    samples: metrics.flatMap((name) => samples.get(name) ?? []),
    declared: metrics.filter((name) => declared.has(name)),
    ...cannotEvaluate(target, wanted),
  };
}

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
