import type { Metric } from '@tidegate/contracts';
import { increase, type Reading, type Snapshot, type TakenReading } from '@tidegate/metrics-source';
import {
  describeSelector,
  type Lack,
  type MissingKind,
  missingKinds,
  MOST_SERIES,
  selectorsOf,
  snapshotOf,
  targetsOf,
} from './counters.ts';
import { count, noWindows, type Windows } from './windows.ts';

export interface Missing {
  readonly kind: MissingKind;
  /** How many targets lack it. */
  readonly targets: number;
  /** A sentence about the first of them. */
  readonly detail: string;
}

interface TargetState {
  readonly at: number;
  /** Whether the newest scrape had the total's series. */
  readonly present: boolean;
  /** What to count the next scrape from. `total` is null for a metric that is only a count. */
  readonly bad: Snapshot['values'];
  readonly total: Snapshot['values'] | null;
}

/** What one guard knows in one stage: plain JSON of bounded size, a part of the rollout's document. */
export interface GuardEvidence {
  readonly windows: Windows;
  readonly targets: Readonly<Record<string, TargetState>>;
  /** The instant up to which every target has been counted; null before the first successful check. */
  readonly lastSuccessAt: number | null;
  /** What the newest check lacked; null if nothing. */
  readonly missing: Missing | null;
}

/** What `advance` needs to know of the stage and its plan. */
export interface Timing {
  /** When the stage opened, ms since 1970. */
  readonly openedAt: number;
  /** Longest time between two successful checks that still counts as covered. */
  readonly maxGapMs: number;
}

/**
 * Evidence of a new stage. Counting goes on from the former stage's newest scrape, so that what happens between the
 * two belongs to the new one and nothing is counted twice.
 */
export const openEvidence = (windowMs: number, former?: GuardEvidence): GuardEvidence => ({
  windows: noWindows(windowMs),
  targets: former?.targets ?? {},
  lastSuccessAt: null,
  missing: null,
});

/**
 * Counts what is new in the readings of one check. Readings that were counted before change nothing, so it may be
 * told everything twice; a target that is missing or unusable keeps its place, and what it counts meanwhile is
 * counted once it is back.
 * @param readings may hold other targets too
 */
export function advance(
  evidence: GuardEvidence,
  metric: Metric,
  readings: readonly Reading[],
  timing: Timing,
): GuardEvidence {
  const targets = targetsOf(metric);
  const looks = targets.map((target) => {
    const reading = readings.find((each) => each.target === target);
    return lookAt(target, evidence.targets[target], metric, reading, timing);
  });
  if (looks.every(({ news }) => !news)) return evidence;
  let { windows } = evidence;
  const states = { ...evidence.targets };
  for (const [index, { state, bad, total }] of looks.entries()) {
    if (state === undefined) continue;
    states[targets[index] ?? ''] = state;
    windows = count(windows, state.at - timing.openedAt, bad, total);
  }
  const missing = missingOf(looks, metric);
  const oldest = Math.min(...looks.map(({ state }) => state?.at ?? -Infinity));
  const lastSuccessAt = missing === null ? oldest : evidence.lastSuccessAt;
  return { windows, targets: states, lastSuccessAt, missing };
}

/** One target in one check. `state`: where counting stands after it, undefined if it has never been counted. */
interface Look {
  readonly news: boolean;
  readonly state: TargetState | undefined;
  readonly bad: number;
  readonly total: number;
  readonly lack: Lack | null;
}

function lookAt(
  target: string,
  state: TargetState | undefined,
  metric: Metric,
  reading: Reading | undefined,
  { maxGapMs }: Timing,
): Look {
  const lacking = (kind: MissingKind, detail: string): Look => ({
    news: true,
    state,
    bad: 0,
    total: 0,
    lack: { kind, detail },
  });
  if (reading === undefined) return lacking('query-error', `${target} was not read.`);
  const olderByMs = state === undefined ? -1 : state.at - reading.at;
  if (olderByMs >= 0 && olderByMs <= maxGapMs)
    return { news: false, state, bad: 0, total: 0, lack: null };
  if (reading.outcome === 'failed') return lacking('query-error', reading.message);
  const selectors = selectorsOf(metric);
  const bad = snapshotOf(reading, selectors.bad, maxGapMs);
  const total = selectors.total && snapshotOf(reading, selectors.total, maxGapMs);
  if ('kind' in bad) return lacking(bad.kind, bad.detail);
  if (total !== null && 'kind' in total) return lacking(total.kind, total.detail);
  return counted(olderByMs > 0 ? undefined : state, reading, bad, total, selectors.bad.metric);
}

/** A state that is far ahead of the reading means that the clock was set back: counting starts anew, from nothing. */
function counted(
  state: TargetState | undefined,
  reading: TakenReading,
  bad: Snapshot,
  total: Snapshot | null,
  badName: string,
): Look {
  const since = (values: Snapshot['values'] | null | undefined, current: Snapshot) =>
    increase(state && values ? { at: state.at, values } : undefined, current);
  const newBad = since(state?.bad, bad);
  const newTotal = total === null ? null : since(state?.total, total);
  const present =
    total === null ? reading.declared.includes(badName) : Object.keys(total.values).length > 0;
  return {
    news: true,
    state: {
      at: reading.at,
      present,
      bad: bounded(newBad.snapshot, bad),
      total: total && newTotal && bounded(newTotal.snapshot, total),
    },
    bad: newBad.increase,
    total: newTotal?.increase ?? 0,
    lack: reading.lacks === undefined ? null : { kind: 'query-error', detail: reading.lacks },
  };
}

/** Vanished series are remembered as long as there is room for them. */
const bounded = (known: Snapshot, current: Snapshot): Snapshot['values'] =>
  Object.keys(known.values).length <= MOST_SERIES ? known.values : current.values;

function missingOf(looks: readonly Look[], metric: Metric): Missing | null {
  for (const kind of missingKinds) {
    const lacks = looks.flatMap(({ lack }) => (lack?.kind === kind ? [lack] : []));
    const [first] = lacks;
    if (first) return { kind, targets: lacks.length, detail: first.detail };
  }
  if (looks.some(({ state }) => state?.present)) return null;
  const { bad, total } = selectorsOf(metric);
  const detail = `no target has a series of ${describeSelector(total ?? bad)}.`;
  return { kind: 'empty', targets: looks.length, detail };
}
