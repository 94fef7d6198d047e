import type { Metric } from '@tidegate/contracts';
import type { Reading, Sample, TakenReading } from '@tidegate/metrics-source';
import { type Chosen, chosenOf, isLack, type Lack, MOST_SERIES } from './counters.ts';
import { lacksOf } from './selectors.ts';
import { targetsOf, type Watch } from './watch.ts';

/** Where counting stands in one target. */
export interface Place {
  readonly at: number;
  /** Of each arm: whether the newest scrape had what everything is counted against. */
  readonly present: readonly boolean[];
  /** There are requests, and nothing has the name of what would be bad. */
  readonly unknown?: true;
  /** Targets behind this one that could not be scraped at the first look and were not seen since. */
  readonly unseen?: readonly string[];
  /** Newest value of each series, also of those that have vanished: they are not counted again when they come back. */
  readonly values: Readonly<Record<string, number>>;
}

/** What one arm counted. */
export interface Counted {
  readonly bad: number;
  readonly total: number;
}
const NOTHING: Counted = { bad: 0, total: 0 };

/** What one target says in one check. `repeated`: what was counted before. */
export type Look =
  | { readonly outcome: 'repeated' }
  | { readonly outcome: 'lacking'; readonly lack: Lack }
  | {
      readonly outcome: 'counted';
      readonly place: Place;
      /** Of the canary and, where it is compared, the baseline; null at the first look, when nobody knows since when. */
      readonly counted: readonly Counted[] | null;
      /** What belongs into the reading and is not in it. */
      readonly lack: Lack | null;
    };

/** Both arms, or the only one; each with the metric it counts. */
export const armsOf = ({ canary, baseline }: Watch): readonly Metric[] =>
  baseline === null ? [canary] : [canary, baseline];

/**
 * Targets that are counted together: an interval counts for both arms or for neither. Arms that are read in the same
 * places are counted target by target. Events of a rate are of all of them: while one is away, the others may serve its
 * part, and its time would be missing.
 */
export function groupsOf({ canary, baseline }: Watch): readonly (readonly string[])[] {
  const targets = targetsOf(canary);
  const others = baseline === null ? targets : targetsOf(baseline);
  const all = [...new Set([...targets, ...others])];
  const isShared = all.length === targets.length && all.length === others.length;
  return isShared && canary.type !== 'rate' ? targets.map((target) => [target]) : [all];
}

/** A place that is far ahead of the reading means that the clock was set back: counting starts anew, from nothing. */
export function lookAt(
  target: string,
  known: Place | undefined,
  reading: Reading | undefined,
  watch: Watch,
): Look {
  const lacking = (kind: Lack['kind'], detail: string): Look => ({
    outcome: 'lacking',
    lack: { kind, detail },
  });
  if (reading === undefined) return lacking('query-error', `${target} was not read.`);
  if (isRepeated(known, reading.at, watch)) return { outcome: 'repeated' };
  if (reading.outcome === 'failed') return lacking('query-error', reading.message);
  const arms = armsOf(watch).map((metric) =>
    targetsOf(metric).includes(target) ? chosenOf(metric, reading, watch.maxGapMs) : [],
  );
  const lack = arms.find(isLack);
  if (lack) return { outcome: 'lacking', lack };
  const chosen = arms.flatMap((each) => (isLack(each) ? [] : [each]));
  const at = instantOf(watch, reading, chosen.flat());
  if (isRepeated(known, at, watch)) return { outcome: 'repeated' };
  return counted(known && known.at > at ? undefined : known, reading, at, chosen, watch);
}

const isRepeated = (known: Place | undefined, at: number, { maxGapMs }: Watch): boolean =>
  known !== undefined && known.at >= at && known.at - at <= maxGapMs;

/**
 * Events are counted against time, so what counts is when their own series were scraped last: other series of the same
 * Prometheus may be newer.
 */
const instantOf = ({ canary }: Watch, { at }: TakenReading, chosen: readonly Chosen[]): number =>
  canary.type === 'rate' && chosen.length > 0
    ? Math.max(...chosen.map(({ sample }) => sample.at))
    : at;

function counted(
  known: Place | undefined,
  reading: TakenReading,
  at: number,
  chosen: readonly (readonly Chosen[])[],
  watch: Watch,
): Look {
  // A place that knows fewer arms knows nothing of the others.
  const since = known?.present.length === chosen.length ? known : undefined;
  const metrics = armsOf(watch);
  const unknown = isUnknown(watch.canary, reading);
  const place: Place = {
    at,
    present: chosen.map((each, i) => !unknown && isPresent(metrics[i] as Metric, reading, each)),
    values: valuesOf(since, chosen),
    ...(unknown && chosen.some((each) => each.length > 0) ? { unknown } : {}),
    ...unseenIn(since, reading, chosen.flat()),
  };
  const lacks = lacksOf(metrics, reading);
  return {
    outcome: 'counted',
    place,
    counted: since === undefined ? null : chosen.map((each) => grown(since, each)),
    lack: lacks === undefined ? null : { kind: 'query-error', detail: lacks },
  };
}

/**
 * How much the series grew since the place. A value below the former one is a restart: all of it is new. A series
 * that the former scrape did not have is counted from zero: whatever it holds happened since. Not so that of a target
 * that was there before and is seen for the first time.
 */
function grown({ values, unseen }: Place, chosen: readonly Chosen[]): Counted {
  if (chosen.length === 0) return NOTHING;
  let bad = 0;
  let total = 0;
  for (const { sample, bad: timesBad, total: timesTotal } of chosen) {
    const before = values[sample.series] ?? (unseen?.includes(behind(sample)) ? sample.value : 0);
    const more = sample.value < before ? sample.value : sample.value - before;
    bad += timesBad * more;
    total += timesTotal * more;
  }
  return { bad: Math.max(0, bad), total };
}

const behind = ({ labels: { job = '', instance = '' } }: Pick<Sample, 'labels'>): string =>
  `${instance} (${job})`;

function unseenIn(
  known: Place | undefined,
  { down = [] }: TakenReading,
  chosen: readonly Chosen[],
): Pick<Place, 'unseen'> {
  const before = known ? (known.unseen ?? []) : down.map((labels) => behind({ labels }));
  if (before.length === 0) return {};
  const seen = new Set(chosen.map(({ sample }) => behind(sample)));
  const unseen = before.filter((each) => !seen.has(each)).slice(0, MOST_SERIES);
  return unseen.length === 0 ? {} : { unseen };
}

/** Vanished series are remembered as long as there is room for them. */
function valuesOf(
  known: Place | undefined,
  chosen: readonly (readonly Chosen[])[],
): Place['values'] {
  const values: Record<string, number> = known ? { ...known.values } : {};
  for (const arm of chosen) for (const { sample } of arm) values[sample.series] = sample.value;
  if (known === undefined || Object.keys(values).length <= MOST_SERIES * chosen.length)
    return values;
  return valuesOf(undefined, chosen);
}

/** A name that nothing has is wrong, or the counter's first event is still to come: nobody can tell, so it is no zero. */
const isUnknown = (metric: Metric, { declared }: TakenReading): boolean =>
  metric.type === 'ratio' && !declared.includes(metric.bad.metric);

function isPresent(metric: Metric, { declared }: TakenReading, chosen: readonly Chosen[]): boolean {
  switch (metric.type) {
    case 'count':
    case 'rate':
      return declared.includes(metric.count.metric);
    case 'signal':
      return true;
    default:
      return chosen.some(({ total }) => total > 0);
  }
}
