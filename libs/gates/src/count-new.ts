import type { Metric } from '@tidegate/contracts';
import { isLack, type Lack, missingKinds, nameOf } from './counters.ts';
import type { Began, GuardEvidence, Missing, Readings } from './evidence.ts';
import { armsOf, type Counted, groupsOf, type Look, lookAt, type Place } from './place.ts';
import { tally } from './tally.ts';
import type { Watch } from './watch.ts';

/** Counts what is new. Each group of targets is counted as one, or keeps its places. */
export function countNew(
  evidence: GuardEvidence,
  watch: Watch,
  readings: Readings,
  began: Began,
): GuardEvidence {
  const groups = groupsOf(watch);
  const looks = new Map<string, Look>();
  for (const target of groups.flat())
    looks.set(target, lookAt(target, evidence.targets[target], readings.get(target), watch));
  if ([...looks.values()].every(({ outcome }) => outcome === 'repeated')) return evidence;
  let after = evidence;
  const torn: Lack[] = [];
  for (const group of groups) {
    const news = newsOf(evidence, watch, group, looks, began);
    if (news === undefined) continue;
    const lack = tornIn(watch, news);
    if (lack === undefined) after = taken(after, watch, news, groups.length, began.openedAt);
    else if (news.to - news.from > watch.maxGapMs) torn.push(lack);
  }
  const missing = missingOf(looks, after, watch, torn);
  const instants = groups.flat().map((target) => after.targets[target]?.at ?? -Infinity);
  const lastSuccessAt = missing === null ? Math.min(...instants) : evidence.lastSuccessAt;
  return { ...after, lastSuccessAt, missing };
}

/** What a group of targets says that is new. */
interface News {
  readonly places: Readonly<Record<string, Place>>;
  readonly from: number;
  readonly to: number;
  /** By arm; null where nobody knows since when. */
  readonly arms: readonly Counted[] | null;
}

/** Of all its targets, or nothing: else an interval of one arm would stand beside another one of the other. */
function newsOf(
  { targets }: GuardEvidence,
  watch: Watch,
  group: readonly string[],
  looks: ReadonlyMap<string, Look>,
  { openedAt, countedFrom = -Infinity }: Began,
): News | undefined {
  const counted = group.flatMap((target) => {
    const look = looks.get(target);
    return look?.outcome === 'counted' ? [{ target, ...look }] : [];
  });
  const isSplit = watch.guard.judge === 'split';
  const isWhole = isSplit || watch.canary.type === 'rate';
  if (counted.length < group.length || (isWhole && counted.some(({ lack }) => lack)))
    return undefined;
  const from = Math.min(...group.map((target) => targets[target]?.at ?? Infinity));
  const to = Math.min(...counted.map(({ place }) => place.at));
  const isFirst = counted.some((each) => each.counted === null);
  const isUnsettled = watch.baseline !== null && from < openedAt + settlingMs(watch);
  const isEarly = isUnsettled || from < countedFrom;
  const isPaired = watch.baseline !== null || watch.canary.type === 'rate';
  if (!isFirst && !isEarly && isPaired && to - from < pairedMs(watch)) return undefined;
  const arms = armsOf(watch).map((_, arm) =>
    sumOf(counted.flatMap((each) => each.counted?.[arm] ?? [])),
  );
  const places = Object.fromEntries(counted.map(({ target, place }) => [target, place]));
  return { places, from, to, arms: isFirst || isEarly ? null : arms };
}

/**
 * A Prometheus scrapes the two arms at different moments: over less than its interval one of them would have counted
 * something and the other nothing. So it is with events and the time they took. A scrape may come a little early.
 */
const pairedMs = ({ scrapeMs }: Watch): number => 0.9 * scrapeMs;

/**
 * An interval of two shares of the traffic says nothing of either: a trouble that both arms have in one part of it looks
 * like one of the canary's. It ends with the newest scrape of before. How traffic is split is only asked when the new
 * exposure has reached everybody.
 */
const settlingMs = ({ guard, scrapeMs, maxGapMs }: Watch): number =>
  guard.judge === 'split' ? scrapeMs + maxGapMs / 3 : scrapeMs;

/**
 * Why counts of two arms cannot stand beside each other: a scrape may come between a request's two counters, and then
 * an error without its request would weigh as if the canary had none of the traffic. They are counted with the next.
 */
function tornIn(watch: Watch, { arms, from }: News): Lack | undefined {
  const isShare = watch.canary.type === 'ratio' || watch.canary.type === 'latency';
  const torn = arms?.find(({ bad, total }) => bad > total);
  if (watch.baseline === null || !isShare || !torn) return undefined;
  const since = new Date(from).toISOString();
  const detail = `${torn.bad} bad ones of ${torn.total} requests since ${since}: ${nameOf(watch.canary)} does not count what is bad.`;
  return { kind: 'stale', detail };
}

function taken(
  evidence: GuardEvidence,
  watch: Watch,
  { places, from, to, arms }: News,
  groups: number,
  openedAt: number,
): GuardEvidence {
  const after = { ...evidence, targets: { ...evidence.targets, ...places } };
  if (arms === null) return after;
  return tally(after, watch, { from, to, arms, weight: 1 / groups }, openedAt);
}

const sumOf = (all: readonly Counted[]): Counted => ({
  bad: all.reduce((sum, { bad }) => sum + bad, 0),
  total: all.reduce((sum, { total }) => sum + total, 0),
});

function missingOf(
  looks: ReadonlyMap<string, Look>,
  { targets, recorded }: GuardEvidence,
  watch: Watch,
  torn: readonly Lack[],
): Missing | null {
  const lacks = [...looks.values()].flatMap((look) =>
    look.outcome === 'repeated' || look.lack === null ? [] : [look.lack],
  );
  return worstOf([...lacks, ...torn]) ?? lackOfRecorded(recorded) ?? absent(looks, targets, watch);
}

function worstOf(lacks: readonly Lack[]): Missing | null {
  for (const kind of missingKinds) {
    const such = lacks.filter((lack) => lack.kind === kind);
    if (such[0]) return { kind, targets: such.length, detail: such[0].detail };
  }
  return null;
}

/** One target that has the series is enough: the others may not have served it yet. */
function absent(
  looks: ReadonlyMap<string, Look>,
  targets: GuardEvidence['targets'],
  watch: Watch,
): Missing | null {
  for (const [arm, metric] of armsOf(watch).entries()) {
    if ([...looks.keys()].some((target) => targets[target]?.present[arm])) continue;
    const isUnknown = [...looks.keys()].some((target) => targets[target]?.unknown);
    const detail = isUnknown && metric.type === 'ratio' ? unknown(metric) : absence(metric);
    return { kind: 'empty', targets: looks.size, detail };
  }
  return null;
}

const absence = (metric: Metric): string => `no target has a series of ${nameOf(metric)}.`;

const unknown = ({ bad }: Extract<Metric, { type: 'ratio' }>): string =>
  `no target has a metric ${bad.metric}: either it is called otherwise, or it must be there with 0 before the first error.`;

const lackOfRecorded = (recorded: GuardEvidence['recorded']): Missing | null =>
  recorded && isLack(recorded)
    ? { kind: recorded.kind, targets: 1, detail: recorded.detail }
    : null;
