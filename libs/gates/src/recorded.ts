import type { Metric, Plan, Recorded } from '@tidegate/contracts';
import type { Reading, ReadRequest } from '@tidegate/metrics-source';
import { isLack, type Lack, nameOf } from './counters.ts';
import type { GuardEvidence } from './evidence.ts';
import { type Counted, lookAt, type Place } from './place.ts';
import { requestsOf } from './reads.ts';
import type { StageEvidence } from './stage-evidence.ts';
import { narrowed, targetsOf, type Watch, watchOf } from './watch.ts';

/** The past is read at up to so many instants. */
const MOST_INTERVALS = 48;
/** What was not there is looked for again after this; a source that did not answer is asked at the next check. */
const AGAIN_AFTER_MS = 30_000;
/** For so long Prometheus takes a series that it no longer finds for one that is still there. */
const LOOKBACK_MS = 300_000;

/** A metric that a guard is compared with as it was before the rollout began: where and when to read it. */
export interface RecordedRead {
  readonly metric: string;
  readonly requests: readonly ReadRequest[];
  /** Oldest first. */
  readonly instants: readonly number[];
}

/** What was recorded of a metric, or why that cannot be said. */
export interface Recording {
  readonly metric: string;
  readonly found: Counted | Lack;
}

/**
 * What must still be read of the time before the rollout; nothing once it is known.
 * @param startedAt when the rollout began
 */
export function recordedReadsOf(
  plan: Plan,
  evidence: StageEvidence,
  startedAt: number,
  at: number,
): RecordedRead[] {
  const reads = new Map<string, RecordedRead>();
  for (const { name, watch, known } of comparedIn(plan, evidence)) {
    const { recorded } = known;
    if (recorded === undefined || !isLack(recorded)) continue;
    const waitMs = recorded.kind === 'query-error' ? 0 : AGAIN_AFTER_MS;
    if (at - (recorded.triedAt ?? -Infinity) < waitMs) continue;
    const instants = instantsOf(watch.recorded, startedAt, watch.maxGapMs / 3);
    reads.set(name, {
      metric: name,
      requests: requestsOf([{ metric: wholeOf(plan, name) }]),
      instants,
    });
  }
  return [...reads.values()];
}

function comparedIn(plan: Plan, evidence: StageEvidence) {
  return plan.guards.flatMap((guard) => {
    const watch = watchOf(plan, guard, evidence);
    const known = evidence.guards[guard.name];
    if (!watch?.recorded || !known) return [];
    return [
      {
        guard: guard.name,
        name: guard.metric,
        watch: { ...watch, recorded: watch.recorded },
        known,
      },
    ];
  });
}

/** Before the rollout there was no canary: what is recorded is the metric as a whole. */
function wholeOf(plan: Plan, name: string): Metric {
  const metric = plan.metrics[name];
  if (metric === undefined) throw new TypeError(`${plan.plan} has no metric ${name}.`);
  return narrowed(metric, undefined);
}

/** Evenly over the time, and not more often than the counters are scraped. */
function instantsOf({ ago, for: forMs }: Recorded, startedAt: number, everyMs: number): number[] {
  const intervals = Math.min(MOST_INTERVALS, Math.max(1, Math.floor(forMs / everyMs)));
  const from = startedAt - ago - forMs;
  return Array.from(
    { length: intervals + 1 },
    (_, i) => from + Math.round((i * forMs) / intervals),
  );
}

/**
 * What a metric counted between the first and the last of these instants. A target that could not be scraped at one of
 * them is no reason to know nothing; a source that does not answer is.
 * @param readings by instant
 */
export function recordingOf(
  plan: Plan,
  { metric: name, instants }: RecordedRead,
  readings: readonly (readonly Reading[])[],
): Recording {
  const metric = wholeOf(plan, name);
  const guard = plan.guards.find((each) => each.metric === name);
  if (guard === undefined) throw new TypeError(`${plan.plan} has no guard of ${name}.`);
  const watch: Watch = {
    guard,
    canary: metric,
    baseline: null,
    recorded: null,
    maxGapMs: LOOKBACK_MS,
    stepMs: plan.checkEvery,
    scrapeMs: 0,
  };
  const places = new Map<string, Place>();
  let bad = 0;
  let total = 0;
  for (const reading of readings) {
    for (const target of targetsOf(metric)) {
      const before = places.get(target);
      const look = lookAt(
        target,
        before,
        reading.find((each) => each.target === target),
        watch,
      );
      if (look.outcome === 'lacking') return { metric: name, found: look.lack };
      if (look.outcome === 'repeated') continue;
      places.set(target, look.place);
      bad += look.counted?.[0]?.bad ?? 0;
      total +=
        metric.type === 'rate' && before
          ? look.place.at - before.at
          : (look.counted?.[0]?.total ?? 0);
    }
  }
  const isUnknown = bad === 0 && [...places.values()].every(({ unknown }) => unknown);
  const isKnown = total > 0 && !isUnknown;
  return { metric: name, found: isKnown ? { bad, total } : nothingOf(metric, total, instants) };
}

/** Requests without anything that has the name of what is bad are no rate of zero. */
function nothingOf(metric: Metric, total: number, instants: readonly number[]): Lack {
  const what =
    metric.type === 'ratio' && total > 0
      ? `nothing had a metric ${metric.bad.metric}`
      : `nothing of ${nameOf(metric)} was recorded`;
  const time = [instants[0], instants.at(-1)].map((at) => new Date(at ?? 0).toISOString());
  return { kind: 'empty', detail: `${what} between ${time.join(' and ')}.` };
}

/** The evidence with what was recorded. */
export function withRecording(
  plan: Plan,
  evidence: StageEvidence,
  { metric, found }: Recording,
  at: number,
): StageEvidence {
  const recorded = isLack(found) ? { ...found, triedAt: at } : found;
  const guards = comparedIn(plan, evidence)
    .filter(({ name }) => name === metric)
    .map(({ guard, known }): [string, GuardEvidence] => [guard, { ...known, recorded }]);
  return { ...evidence, guards: { ...evidence.guards, ...Object.fromEntries(guards) } };
}

/** Whether what is missing may come with the new code's first requests. What was before the rollout does not. */
export const isStillToCome = ({ missing, recorded }: GuardEvidence): boolean =>
  missing?.kind === 'empty' && !(recorded && isLack(recorded));
