import type { GuardEvidence } from './evidence.ts';
import type { CountsSince, Facts } from './facts.ts';
import { recentAt } from './recent.ts';
import { samplesAt } from './samples.ts';
import { type Row, sinceStarts } from './windows.ts';

/** What a guard's verdict at `at` rests on. */
export function factsOf(evidence: GuardEvidence, at: number): Facts {
  const { windows, samples, recent, read, recorded, lastSuccessAt, missing } = evidence;
  return {
    ageMs: lastSuccessAt === null ? null : at - lastSuccessAt,
    missing,
    ...(windows
      ? { since: sinceStarts(windows).map(asCounts), window: Math.max(0, windows.newest) }
      : {}),
    ...(samples ? { samples: samplesAt(samples, at) } : {}),
    ...(recent ? { value: recentAt(recent, at) } : {}),
    ...(read !== undefined && !samples ? { value: read?.value ?? null } : {}),
    ...(recorded ? { recorded: 'kind' in recorded ? null : recorded } : {}),
  };
}

const asCounts = ([start, bad = 0, total = 0, baseBad, baseTotal, expected]: Row): CountsSince => ({
  start,
  bad,
  total,
  ...(baseBad === undefined || baseTotal === undefined || expected === undefined
    ? {}
    : { baseline: { bad: baseBad, total: baseTotal, expected } }),
});
