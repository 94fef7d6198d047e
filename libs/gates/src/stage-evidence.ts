import type { Guard, Metric, Plan } from '@tidegate/contracts';
import type { ReadRequest, Reading } from '@tidegate/metrics-source';
import { requestsFor } from './counters.ts';
import { advance, type GuardEvidence, openEvidence } from './evidence.ts';
import { maxGapMs } from './timing.ts';

/** What a rollout has seen since it opened this stage: plain JSON, a part of its document. */
export interface StageEvidence {
  readonly stage: string;
  readonly openedAt: number;
  /** By guard. */
  readonly guards: Readonly<Record<string, GuardEvidence>>;
  /** The newest check in which no guard lacked data; null before the first. */
  readonly lastSuccessAt: number | null;
  /** Time between successful checks, without gaps. */
  readonly coveredMs: number;
}

/** What a check must read; empty if the plan has no guards. */
export const readsOf = (plan: Plan): ReadRequest[] => requestsFor(metricsOf(plan));

/**
 * Evidence of a stage that opens at `at`, with nothing counted yet.
 * @param former the stage before, if there was one: counting goes on from its newest scrape
 */
export function openStage(
  plan: Plan,
  stage: string,
  at: number,
  former?: StageEvidence,
): StageEvidence {
  const guards = plan.guards.map(
    ({ name }) => [name, openEvidence(plan.checkEvery, former?.guards[name])] as const,
  );
  return {
    stage,
    openedAt: at,
    guards: Object.fromEntries(guards),
    lastSuccessAt: null,
    coveredMs: 0,
  };
}

/**
 * Takes in the readings of one check at `at`: counts, failures and covered time. To be told the same again changes
 * nothing. Also while the rollout is paused, holding or at a step between two stages.
 */
export function checkStage(
  plan: Plan,
  evidence: StageEvidence,
  readings: readonly Reading[],
  at: number,
): StageEvidence {
  const guards = plan.guards.flatMap((guard) => {
    const metric = metricOf(plan, guard);
    const known = evidence.guards[guard.name] ?? openEvidence(plan.checkEvery);
    if (!metric) return [];
    const timing = { openedAt: evidence.openedAt, maxGapMs: maxGapMs(plan, metric) };
    return [[guard.name, advance(known, metric, readings, timing)] as const];
  });
  const successAt = successOf(
    guards.map(([, each]) => each),
    at,
  );
  return {
    ...evidence,
    guards: Object.fromEntries(guards),
    ...covered(evidence, successAt, maxGapMs(plan, ...metricsOf(plan))),
  };
}

/** The instant that every guard has data of, the check's own if there are no guards; null if one lacks data. */
function successOf(guards: readonly GuardEvidence[], at: number): number | null {
  let oldest = guards.length === 0 ? at : Infinity;
  for (const { missing, lastSuccessAt } of guards) {
    if (missing !== null || lastSuccessAt === null) return null;
    oldest = Math.min(oldest, lastSuccessAt);
  }
  return oldest;
}

/** An instant far before the last one means that the clock was set back: time is covered from there on. */
function covered(
  { lastSuccessAt, coveredMs }: StageEvidence,
  successAt: number | null,
  gapMs: number,
): Pick<StageEvidence, 'lastSuccessAt' | 'coveredMs'> {
  if (successAt === null) return { lastSuccessAt, coveredMs };
  const elapsed = successAt - (lastSuccessAt ?? successAt);
  if (elapsed < 0 && elapsed >= -gapMs) return { lastSuccessAt, coveredMs };
  const counts = elapsed > 0 && elapsed <= gapMs;
  return { lastSuccessAt: successAt, coveredMs: counts ? coveredMs + elapsed : coveredMs };
}

/** For how long data have been missing: since the newest successful check, or since the stage opened. */
export const missingForMs = ({ lastSuccessAt, openedAt }: StageEvidence, at: number): number =>
  Math.max(0, at - (lastSuccessAt ?? openedAt));

const metricsOf = (plan: Plan): Metric[] =>
  plan.guards.flatMap((guard) => metricOf(plan, guard) ?? []);

export const metricOf = (plan: Plan, guard: Guard): Metric | undefined =>
  plan.metrics[guard.metric];
