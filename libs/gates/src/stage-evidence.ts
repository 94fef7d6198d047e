import type { Plan } from '@tidegate/contracts';
import type { Reading } from '@tidegate/metrics-source';
import { advance, type GuardEvidence, openEvidence, type Readings } from './evidence.ts';
import { goingOn, type LivenessEvidence, watchInstances } from './liveness.ts';
import { maxGapMs, NO_STAGE, watchedStep, windowMsOf } from './timing.ts';
import { targetNamed, type Watch, watchOf } from './watch.ts';

/** What a rollout has seen since this step began: plain JSON of bounded size. */
export interface StageEvidence {
  readonly stage: string;
  readonly openedAt: number;
  /** Of what everybody has, whichever part the plan compares with which: for whether all is well again. */
  readonly overall?: true;
  /** What a scrape before this has not seen was before the step: counted is from the first scrape after it. */
  readonly countedFrom?: number;
  /** By guard. */
  readonly guards: Readonly<Record<string, GuardEvidence>>;
  /** Whether the canary's instances are there. */
  readonly liveness?: LivenessEvidence;
  /** The newest check in which no guard that acts lacked data; null before the first. */
  readonly lastSuccessAt: number | null;
  /** Time between successful checks, without gaps. */
  readonly coveredMs: number;
}

interface Opened {
  readonly overall?: boolean;
  readonly countedFrom?: number;
}

/**
 * Evidence of a step that begins at `at`, with nothing counted yet.
 * @param former the step before, if there was one: counting goes on from its newest scrape
 * @param overall counts every metric as a whole, from the first reading on that was taken at `countedFrom` or later
 */
export function openStage(
  plan: Plan,
  stage: string,
  at: number,
  former?: StageEvidence,
  { overall = false, countedFrom }: Opened = {},
): StageEvidence {
  const of = { stage, ...(overall ? { overall } : {}) } as const;
  const windowMs = windowMsOf(plan, watchedStep(plan, stage));
  // What another part of the traffic has counted is no place to go on from.
  const before = former?.overall === of.overall ? former : undefined;
  const goesOn = before !== undefined && before.stage !== NO_STAGE;
  const guards = watchesOf(plan, of).map(({ name, watch }) => {
    const recorded = former?.guards[name]?.recorded;
    const opening = { openedAt: at, windowMs, former: before?.guards[name], recorded, goesOn };
    return [name, openEvidence(watch, opening)] as const;
  });
  return {
    ...of,
    ...(countedFrom === undefined ? {} : { countedFrom }),
    openedAt: at,
    guards: Object.fromEntries(guards),
    ...(plan.liveness === 'off' ? {} : { liveness: goingOn(before?.liveness ?? {}, goesOn) }),
    lastSuccessAt: null,
    coveredMs: 0,
  };
}

const watchesOf = (
  plan: Plan,
  of: Pick<StageEvidence, 'stage' | 'overall'>,
): { name: string; watch: Watch }[] =>
  plan.guards.flatMap((guard) => {
    const watch = watchOf(plan, guard, of);
    return watch ? [{ name: guard.name, watch }] : [];
  });

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
  const byTarget: Readings = new Map(readings.map((each) => [targetNamed(each.target), each]));
  const { openedAt, countedFrom } = evidence;
  const guards: Record<string, GuardEvidence> = {};
  const acting: GuardEvidence[] = [];
  let gapMs = maxGapMs(plan);
  const watches = watchesOf(plan, evidence);
  for (const { name, watch } of watches) {
    const opening = { openedAt, windowMs: plan.checkEvery };
    const known = evidence.guards[name] ?? openEvidence(watch, opening);
    const after = advance(known, watch, byTarget, { openedAt, countedFrom });
    guards[name] = after;
    if (watch.guard.shadow) continue;
    acting.push(after);
    gapMs = Math.max(gapMs, watch.maxGapMs);
  }
  return {
    ...evidence,
    guards,
    ...(evidence.liveness
      ? { liveness: instancesOf(plan, evidence.liveness, watches, byTarget) }
      : {}),
    ...covered(evidence, successOf(acting, at), gapMs),
  };
}

/** Of the guards that act: one in shadow never takes anything back, and so it looks for nobody. */
const instancesOf = (
  plan: Plan,
  known: LivenessEvidence,
  watches: readonly { readonly watch: Watch }[],
  readings: Readings,
): LivenessEvidence =>
  watchInstances(
    plan,
    known,
    watches.flatMap(({ watch }) => (watch.guard.shadow ? [] : [watch])),
    readings,
  );

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

/** For how long data have been missing: since the newest successful check, or since the step began. */
export const missingForMs = ({ lastSuccessAt, openedAt }: StageEvidence, at: number): number =>
  Math.max(0, at - (lastSuccessAt ?? openedAt));
