import type { Plan } from '@tidegate/contracts';
import { isLack } from './counters.ts';
import type { GuardEvidence } from './evidence.ts';
import type { Facts } from './facts.ts';
import { livenessOf } from './liveness.ts';
import { recentAt } from './recent.ts';
import { samplesAt } from './samples.ts';
import type { StageEvidence } from './stage-evidence.ts';
import { sinceStarts } from './windows.ts';

/** What a guard's verdict at `at` rests on. */
export function factsOf(evidence: GuardEvidence, at: number): Facts {
  const { windows, samples, recent, read, recorded, lastSuccessAt, missing } = evidence;
  return {
    ageMs: lastSuccessAt === null ? null : at - lastSuccessAt,
    missing,
    ...(windows ? { since: sinceStarts(windows), window: Math.max(0, windows.newest) } : {}),
    ...(samples ? { samples: samplesAt(samples, at) } : {}),
    ...(recent ? { value: recentAt(recent, at) } : {}),
    ...(read !== undefined && !samples ? { value: read?.value ?? null } : {}),
    ...(recorded ? { recorded: isLack(recorded) ? null : recorded } : {}),
  };
}

/** What is known of the canary's instances; null where the plan does not want to know. */
export function livenessFacts(
  { liveness }: Plan,
  evidence: StageEvidence,
  at: number,
): Facts | null {
  if (liveness === 'off' || evidence.liveness === undefined) return null;
  const { lastSuccessAt } = evidence;
  const ageMs = lastSuccessAt === null ? null : at - lastSuccessAt;
  return { ageMs, missing: null, liveness: livenessOf(evidence.liveness, liveness, at) };
}
