import type { Plan } from '@tidegate/contracts';
import type { Reading, Sample, TakenReading } from '@tidegate/metrics-source';
import { chosenOf, isLack } from './counters.ts';
import type { Readings } from './evidence.ts';
import { STARTED } from './reads.ts';
import { scrapeIntervalOf } from './timing.ts';
import { isRead } from './value.ts';
import { isScraped, SIGNALS, targetsOf, type Watch } from './watch.ts';

/** An instance of the canary: an address that is scraped, or a target of Prometheus that has the canary's series. */
interface Instance {
  /** Where it is read. */
  readonly target: string;
  /** Of the newest reading in which it was looked for. */
  readonly at: number;
  /** Of the newest reading that had it. */
  readonly seenAt: number;
  /** Readings in a row without it, while others were read; no more than intervals have passed since it was seen. */
  readonly missed: number;
  /** Its largest counter: a smaller value later on is a restart. */
  readonly counter: readonly [series: string, value: number] | null;
  /** When its process says that it began, ms since 1970. */
  readonly startedAt: number | null;
  readonly restarts: readonly number[];
}

/** What became of the canary's instances, by instance: plain JSON of bounded size. */
export type LivenessEvidence = Readonly<Record<string, Instance>>;

const MOST_INSTANCES = 200;
const MOST_RESTARTS = 20;
/** A reading that is older by more means that the clock was set back. */
const LATE_MS = 300_000;
/** A process may not always say the same moment to the millisecond. */
const SAME_START_MS = 1_000;

/**
 * What is known when a step begins: who was there may be gone with its very beginning. Restarts of before the first
 * step were not caused by it.
 */
export const goingOn = (former: LivenessEvidence, goesOn: boolean): LivenessEvidence =>
  Object.fromEntries(
    Object.entries(former).map(([name, instance]) => [
      name,
      { ...instance, missed: 0, restarts: goesOn ? instance.restarts : [] },
    ]),
  );

/** What one check says of the canary in one target. */
interface Sighting {
  readonly target: string;
  readonly reading: Reading;
  /** The canary's series, by instance. */
  readonly seen: ReadonlyMap<string, readonly Sample[]>;
  /** Whether other parts of the traffic are told apart from the canary. */
  readonly isPart: boolean;
  /** How often it can be found anew: one scrape that fails is one look, however often it is read. */
  readonly everyMs: number;
}

/** Takes in one check; what was told before changes nothing. */
export function watchInstances(
  plan: Plan,
  known: LivenessEvidence,
  watches: readonly Watch[],
  readings: Readings,
): LivenessEvidence {
  if (plan.liveness === 'off') return known;
  const { within } = plan.liveness;
  const after: Record<string, Instance> = { ...known };
  for (const sighting of sightingsOf(plan, watches, readings)) {
    const { target, reading, seen } = sighting;
    for (const [name, samples] of seen)
      if (
        reading.outcome === 'taken' &&
        (known[name] || Object.keys(after).length < MOST_INSTANCES)
      )
        after[name] = found(known[name], target, reading, samples, within);
    for (const [name, instance] of Object.entries(known)) {
      if (instance.target !== target || seen.has(name) || isRepeated(instance, reading)) continue;
      if (!isGone(name, sighting)) delete after[name];
      else if (othersRead(target, readings)) after[name] = missing(instance, sighting);
    }
  }
  return after;
}

/** What is older by much is new: then the clock was set back. */
const isRepeated = (instance: Instance, { at }: Reading): boolean =>
  at <= instance.at && instance.at - at < LATE_MS;

function missing(instance: Instance, { reading: { at }, everyMs }: Sighting): Instance {
  if (at < instance.at) return { ...instance, at, seenAt: at, missed: 0 };
  const intervals = Math.floor((at - instance.seenAt) / everyMs);
  return { ...instance, at, missed: Math.min(instance.missed + 1, intervals) };
}

/** Whether anything else has been read: where nothing is, nobody can say who is gone. */
const othersRead = (target: string, readings: Readings): boolean =>
  [...readings].some(
    ([name, reading]) =>
      name !== SIGNALS &&
      (name !== target || !isScraped(target)) &&
      reading.outcome === 'taken' &&
      reading.samples.length > 0,
  );

function sightingsOf(plan: Plan, watches: readonly Watch[], readings: Readings): Sighting[] {
  const counting = watches.filter(({ canary }) => !isRead(canary) && canary.type !== 'signal');
  const targets = new Set(counting.flatMap(({ canary }) => targetsOf(canary)));
  return [...targets].flatMap((target) => {
    const reading = readings.get(target);
    // A Prometheus that does not answer says nothing of anybody.
    if (!reading || target === SIGNALS || (reading.outcome === 'failed' && !isScraped(target)))
      return [];
    const of = counting.filter(({ canary }) => targetsOf(canary).includes(target));
    const seen = seenIn(target, reading, of);
    if (!seen) return [];
    const isPart = of.some(({ guard }) => hasCanary(plan, guard.metric));
    const everyMs = Math.max(plan.checkEvery, ...of.map(({ canary }) => scrapeIntervalOf(canary)));
    return [{ target, reading, seen, isPart, everyMs }];
  });
}

const hasCanary = (plan: Plan, name: string): boolean => {
  const metric = plan.metrics[name];
  return metric !== undefined && 'canary' in metric && metric.canary !== undefined;
};

/** Undefined where the reading cannot be used: then it says nothing. */
function seenIn(
  target: string,
  reading: Reading,
  watches: readonly Watch[],
): Map<string, readonly Sample[]> | undefined {
  const seen = new Map<string, Sample[]>();
  if (reading.outcome === 'failed') return seen;
  if (isScraped(target)) seen.set(target, []);
  const metrics = new Map(watches.map(({ guard, canary }) => [guard.metric, canary]));
  for (const metric of metrics.values()) {
    const chosen = chosenOf(metric, reading, Infinity);
    if (isLack(chosen)) return undefined;
    for (const { sample } of chosen) {
      const { job = '', instance = '' } = sample.labels;
      const name = isScraped(target) ? target : `${instance} (${job})`;
      const known = seen.get(name);
      if (known) known.push(sample);
      else seen.set(name, [sample]);
    }
  }
  return seen;
}

/**
 * An address of the plan that cannot be scraped is gone, and so is what Prometheus cannot scrape. What Prometheus no
 * longer has at all may have been scaled down: that is no fault, unless nothing of the canary is left while others are.
 */
function isGone(name: string, { target, reading, seen, isPart }: Sighting): boolean {
  if (isScraped(target) || reading.outcome === 'failed') return true;
  const down = reading.down ?? [];
  if (down.some(({ job, instance }) => `${instance} (${job})` === name)) return true;
  return isPart && seen.size === 0;
}

function found(
  known: Instance | undefined,
  target: string,
  reading: TakenReading,
  samples: readonly Sample[],
  withinMs: number,
): Instance {
  const { at } = reading;
  if (known && isRepeated(known, reading)) return known;
  const largest = samples.reduce<Sample | undefined>(
    (most, each) => (most && most.value >= each.value ? most : each),
    undefined,
  );
  const startedAt = isScraped(target) ? startOf(reading) : null;
  const restarts = (known?.restarts ?? []).filter((each) => at - each < withinMs && each <= at);
  const isNew = known !== undefined && hasRestarted(known, samples, startedAt);
  return {
    target,
    at,
    seenAt: at,
    missed: 0,
    counter: largest ? [largest.series, largest.value] : (known?.counter ?? null),
    startedAt: startedAt ?? known?.startedAt ?? null,
    restarts: isNew ? [...restarts, at].slice(-MOST_RESTARTS) : restarts,
  };
}

/** Counters only grow while a process lives. */
function hasRestarted(
  { counter, startedAt: before }: Instance,
  samples: readonly Sample[],
  startedAt: number | null,
): boolean {
  if (before !== null && startedAt !== null && startedAt - before > SAME_START_MS) return true;
  const [series, value] = counter ?? [];
  const now = samples.find((each) => each.series === series);
  return now !== undefined && value !== undefined && now.value < value;
}

function startOf({ samples }: TakenReading): number | null {
  const value = samples.find(({ name }) => name === STARTED)?.value;
  return value !== undefined && Number.isFinite(value) ? value * 1_000 : null;
}

/** What is to be said of the canary's instances at `at`. */
export function livenessOf(
  known: LivenessEvidence,
  { vanishedFor, within }: { readonly vanishedFor: number; readonly within: number },
  at: number,
): { vanished: number; restarts: number; detail: string } {
  const all = Object.entries(known);
  const vanished = all.filter(([, { missed }]) => missed >= vanishedFor);
  const restarted = all
    .map(
      ([name, { restarts }]) =>
        [name, restarts.filter((each) => at - each < within).length] as const,
    )
    .reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0]);
  const [gone] = vanished;
  const [name, restarts] = restarted;
  const sentences = [
    ...(gone ? [`${gone[0]} was there, and is missing in ${gone[1].missed} checks in a row.`] : []),
    ...(restarts > 0 ? [`${name} has restarted ${restarts} times.`] : []),
  ];
  return { vanished: vanished.length, restarts, detail: sentences.join(' ') };
}
