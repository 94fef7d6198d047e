import type { Exposition } from './exposition.ts';
import type { ReadFailure } from './failures.ts';
import type { Reading, ReadRequest } from './metrics-source.port.ts';

/** The metrics wanted of each target, targets in the order in which they first stand. */
export function targetsOf(requests: readonly ReadRequest[]): Map<string, ReadonlySet<string>> {
  const wanted = new Map<string, Set<string>>();
  for (const { target, metrics } of requests) {
    const names = wanted.get(target) ?? new Set();
    for (const name of metrics) names.add(name);
    wanted.set(target, names);
  }
  return wanted;
}

/** What one caller gets of what a target gave. */
export function pickReading(
  target: string,
  metrics: ReadonlySet<string>,
  scraped: { readonly at: number } & (
    | { readonly exposition: Exposition }
    | { readonly failure: ReadFailure; readonly message: string }
  ),
): Reading {
  const { at } = scraped;
  if ('failure' in scraped)
    return { outcome: 'failed', target, at, failure: scraped.failure, message: scraped.message };
  const { samples, declared } = scraped.exposition;
  return {
    outcome: 'taken',
    target,
    at,
    samples: [...metrics].flatMap((name) => samples.get(name) ?? []),
    declared: [...metrics].filter((name) => declared.has(name)),
  };
}
