import {
  isWatchedStep,
  type OutgoingMessage,
  type Plan,
  readPlan,
  type StageStep,
  watchedName,
  type WatchedStep,
} from '@tidegate/contracts';
import type { Reading } from '@tidegate/metrics-source';
import { trialsForPower } from '@tidegate/statistics';
import { type Evidence, type FlagVersion, orderOf, rolloutOf } from './evidence.ts';
import { idleTimes, type Span } from './idle-times.ts';
import { ENVIRONMENT, FLAG, gatekeeperAwayMs, LIMIT, OTHER } from './scenario.ts';
import { Violation } from './sim.ts';
import type { Look } from './world.ts';

const broken = (what: string): never => {
  throw new Violation('P5', what);
};

interface Step {
  readonly step: string;
  readonly kind?: string;
  readonly coveredMs?: number;
  readonly promotedBy?: string;
  readonly atDeadline?: boolean;
}

/** Promise 5: a stage is left on what was really counted, for as long as it had to be, and never in the dark. */
export function checkEvidenced(evidence: Evidence): void {
  const read = readPlan(JSON.stringify(evidence.world.scenario.plan));
  if ('problems' in read)
    return broken(`the plan of this world is malformed: ${JSON.stringify(read)}`);
  const { plan } = read;
  const looks = new Looks(plan, evidence.world.looks, evidence.world.profile.longestMs);
  for (const completed of evidence.of('StepCompleted')) {
    const { step, promotedBy } = completed.data as Step;
    const watched = plan.steps.filter(isWatchedStep).find((each) => watchedName(each) === step);
    if (watched && promotedBy === undefined) judge(evidence, looks, plan, watched, completed);
  }
  for (const opened of evidence.of('StageOpened'))
    if (isGuarded(opened)) pagesInTheDark(evidence, plan, looks, opened);
  opensInTheLight(evidence, looks);
  healthyIsLeftAlone(evidence);
}

/** The other plan has no guards. */
const isGuarded = (message: OutgoingMessage): boolean => rolloutOf(message) !== OTHER;

/** A stage opens on a check that was answered, unless a person lets it. */
function opensInTheLight(evidence: Evidence, looks: Looks): void {
  const byPeople = new Set(
    evidence
      .of('RolloutCommandAnswered')
      .map(({ data }) => (data as { command: { id: string } }).command.id),
  );
  const known = new Set<string>();
  for (const { data, metadata } of evidence.of('SetExposure').filter(isGuarded)) {
    const { rollout, step } = data as { rollout: { id: string }; step: string };
    const stage = `${rollout.id} ${step}`;
    const isFirst = !known.has(stage);
    known.add(stage);
    if (isFirst && !byPeople.has(metadata.causationId ?? '') && !looks.isAnswered(metadata.at))
      broken(`${rollout.id} opened ${step} although its sources did not answer`);
  }
}

/** Longest that a check of an open stage is late: processes, store and bus come back within this. */
const LATE_MS = 30_000;

/** While a stage is open and data stay away, a person is told within the plan's time. */
function pagesInTheDark(
  evidence: Evidence,
  plan: Plan,
  looks: Looks,
  opened: OutgoingMessage,
): void {
  const id = rolloutOf(opened);
  const openedAt = opened.metadata.at;
  const own = evidence.messages.filter(
    (message) => message.topic === 'rollout.events' && rolloutOf(message) === id,
  );
  const ends = own.filter((each) => isEnd(each) && orderOf(each) > orderOf(opened));
  const endedAt = Math.min(...ends.map(({ metadata }) => metadata.at));
  for (const [begin, end] of looks.darkness(endedAt)) {
    const darkMs = end - Math.max(begin, openedAt);
    const isPaged = own.some(
      ({ data, metadata: { at } }) => (data as { page?: boolean }).page && at >= begin && at <= end,
    );
    const latestMs = plan.pageAfter + LATE_MS + gatekeeperAwayMs(evidence.world.scenario);
    if (darkMs > latestMs && !isPaged)
      broken(`${id} was open without data for ${darkMs} ms, and nobody was paged`);
  }
}

/** After these the stage is no longer open, or no longer the gatekeeper's to look after. */
const ENDS: ReadonlySet<string> = new Set(['StepCompleted', 'RollbackStarted', 'RolloutAborted']);

/** What a service has paused by itself is not judged, and has paged for that. */
const isEnd = ({ type, data }: OutgoingMessage): boolean =>
  ENDS.has(type) ||
  (type === 'RolloutPaused' && (data as { because?: string }).because !== undefined);

function judge(
  evidence: Evidence,
  looks: Looks,
  plan: Plan,
  watched: WatchedStep,
  completed: OutgoingMessage,
): void {
  const id = rolloutOf(completed);
  const name = watchedName(watched);
  const stage = exposing(plan, watched);
  const of = (type: string) =>
    evidence.of(type).filter((each) => rolloutOf(each) === id && (each.data as Step).step === name);
  // It opens again if somebody moved its users meanwhile; what it saw before still counts.
  const [opened] = of('StageOpened');
  const [asked] = of('SetExposure');
  if (!opened || !asked) return broken(`${id} left ${name}, which never opened`);
  const until = completed.metadata.at;
  const what = `${id} left ${name}`;
  const coveredMs = looks.covered(opened.metadata.at, until, idleTimes(evidence, id));
  if (coveredMs < watched.hold)
    broken(`${what} after ${coveredMs} ms of successful checks, not ${watched.hold}`);
  const said = (completed.data as Step).coveredMs ?? 0;
  if (said > coveredMs + 1 || said < watched.hold)
    broken(`${what} with ${said} ms covered, counted here are ${coveredMs}`);
  if (!looks.isLit(until)) broken(`${what} while no data came`);
  const trials = looks.requests(asked.metadata.at, until);
  const needed = neededRequests(plan);
  const isEnough = (completed.data as Step).atDeadline || trials >= needed;
  if (!isEnough) broken(`${what} after ${trials} requests, not ${needed}`);
  const { broken: fault } = evidence.world.scenario.truth;
  const exposure = stage.percentage ?? 0;
  if (!wasAtExposure(evidence, exposure, until))
    broken(`${what} although its flag was not at the stage's exposure`);
  // A stage counts from when the flag is changed, whether the applications have heard of it or not.
  const seenAt = opened.metadata.at + 1_000;
  const isBroken =
    fault &&
    exposure >= fault.exposure &&
    fault.at <= seenAt &&
    evidence.world.applications.every((each) => each.hasExposed(fault.exposure, seenAt, until));
  if (isBroken && needed >= 100 && fault.share > 10 * LIMIT)
    broken(`${what} although ${fault.share} of its requests fail`);
  const since = (fault?.at ?? Infinity) + LATE_MS;
  const isBrokenSince =
    fault &&
    fault.at > seenAt &&
    exposure >= fault.exposure &&
    evidence.world.applications.every((each) => each.hasExposed(fault.exposure, seenAt, until));
  if (isBrokenSince && since < until && looks.requests(since, until) >= 1_000)
    broken(`${what} although ${fault.share} of its requests have failed for long`);
}

/** So many requests show the regression that the plan names with 80 % power, reckoned here from the plan alone. */
function neededRequests({ guards, steps, risk }: Plan): number {
  const guard = guards.find((each) => each.judge === 'sequential');
  if (guard?.judge !== 'sequential' || guard.detect === undefined) return 0;
  // What is compared needs errors.
  if (guard.margin !== undefined) return 0;
  // The test that begins with the stage has half of the weight.
  const threshold = Math.log((2 * steps.filter(isWatchedStep).length) / risk);
  return trialsForPower({ limit: LIMIT, regression: guard.detect, threshold, power: 0.8 });
}

/** The stage whose exposure is watched: its own, or of a bake the last one before. */
function exposing({ steps }: Plan, watched: WatchedStep): StageStep {
  const upTo = steps.slice(0, steps.indexOf(watched) + 1);
  const stage = upTo.findLast((step): step is StageStep => 'stage' in step);
  return stage ?? broken('a bake before any stage');
}

/** Whether the flag was at an exposure at an instant, or so shortly before that nobody can have been told yet. */
function wasAtExposure(evidence: Evidence, exposure: number, until: number): boolean {
  const versions = evidence.flag(`${ENVIRONMENT}/${FLAG}`).filter(({ at }) => at <= until);
  const isAt = ({ flag }: FlagVersion) => flag?.definition.exposure.percentage === exposure;
  const last = versions.findLastIndex(isAt);
  const leftAt = versions[last + 1]?.at ?? Infinity;
  return last >= 0 && leftAt > until - LATE_MS;
}

/** A breach that a guard of ours found is one. */
function healthyIsLeftAlone(evidence: Evidence): void {
  const { broken: fault, blip, losesDataAt } = evidence.world.scenario.truth;
  for (const breach of evidence.of('ThresholdBreached')) {
    const { guard } = breach.data as { guard: string };
    if (guard === 'error-rate' && !fault && !blip && !hasExcuse(evidence, breach))
      broken('a healthy service was found to fail');
    if (guard === 'liveness' && !mayHaveDied(evidence)) broken('nothing had died, and yet it did');
    if (guard === 'data-loss' && losesDataAt === undefined)
      broken('no data was lost, and yet found lost');
  }
}

/**
 * Where everybody has the new code there is nobody to compare it with, and where its share changes while an outage begins
 * or ends the two are told apart by when they were served.
 */
function hasExcuse({ world }: Evidence, breach: OutgoingMessage): boolean {
  const { outage } = world.scenario.truth;
  if (!outage) return false;
  const { labels } = breach.data as { labels: Readonly<Record<string, string>> };
  const isMixed = (at: number) =>
    world.applications.some((each) => each.hasChanged(at - MIXED_MS, at + MIXED_MS));
  return labels['stage'] === 'at-100000' || isMixed(outage.from) || isMixed(outage.to);
}

/** Two checks, and what comes late of them. */
const MIXED_MS = 15_000;

/** An instance went away, or began again often enough to be thought to crash. */
function mayHaveDied({ world }: Evidence): boolean {
  const { vanishes, restarts, troubles } = world.scenario.truth;
  const anew = troubles.filter(({ kind }) => kind === 'empty').length;
  return vanishes !== undefined || restarts.length + anew >= 3;
}

/** Everything that was scraped, counted a second time: slowly, and only by what was served. */
class Looks {
  readonly gapMs: number;
  readonly #longestMs: number;
  readonly #looks: readonly {
    readonly at: number;
    readonly isUsable: boolean;
    readonly isGood: boolean;
    readonly requests: number;
  }[];

  /** @param longestMs how long a step between deciding to look and looking may take */
  constructor(plan: Plan, looks: readonly Look[], longestMs: number) {
    this.gapMs = 3 * plan.checkEvery;
    this.#longestMs = longestMs;
    const counts = new Map<string, number>();
    let requests = 0;
    this.#looks = looks
      .toSorted((a, b) => a.at - b.at)
      .map(({ at, readings }) => {
        const isUsable = this.#isUsable(readings);
        const isGood = isUsable && readings.some(hasRequests);
        if (isGood) for (const reading of readings) requests += newIn(reading, counts);
        return { at, isUsable, isGood, requests };
      });
  }

  #isUsable(readings: readonly Reading[]): boolean {
    return readings.every(
      (each) =>
        each.outcome === 'taken' &&
        new Set(each.samples.map(({ series }) => series)).size === each.samples.length &&
        each.samples.every(({ value, at }) => value >= 0 && each.at - at <= this.gapMs),
    );
  }

  /**
   * Time between good looks that are not too far apart, none of it idle. Looks for another rollout of the plan are among
   * them: they can only make this more.
   */
  covered(from: number, to: number, idle: readonly Span[]): number {
    const good = this.#looks.filter(({ at, isGood }) => isGood && at >= from && at <= to);
    return good.reduce((sum, { at }, index) => {
      const before = good[index - 1]?.at ?? at;
      const isIdle = idle.some(([begin, end]) => begin < at && before < end);
      return sum + (at - before <= this.gapMs && !isIdle ? at - before : 0);
    }, 0);
  }

  /** Whether what was decided at an instant can rest on a look that found all that there must be. */
  isLit(decidedAt: number): boolean {
    return this.#before(decidedAt).some(({ isGood }) => isGood);
  }

  /** Whether at least every source answered then. */
  isAnswered(decidedAt: number): boolean {
    return this.#before(decidedAt).some(({ isUsable }) => isUsable);
  }

  /** Looks from which the decision may come: it takes a few steps, each with its delay. */
  #before(decidedAt: number) {
    const earliest = decidedAt - 3_000 - 4 * this.#longestMs;
    return this.#looks.filter(({ at }) => at <= decidedAt && at >= earliest);
  }

  /** Times in which look after look found nothing to rest on. */
  darkness(until: number): readonly (readonly [number, number])[] {
    const found: [number, number][] = [];
    let wasDark = false;
    for (const { at, isGood } of this.#looks) {
      if (at > until) break;
      const last = found.at(-1);
      if (!isGood && wasDark && last) last[1] = at;
      else if (!isGood) found.push([at, at]);
      wasDark = !isGood;
    }
    return found;
  }

  /** Requests counted since the last looks before `from`, of which the newest may have been lost. */
  requests(from: number, to: number): number {
    const good = this.#looks.filter(({ isGood }) => isGood);
    const last = good.findLast(({ at }) => at <= to)?.requests ?? 0;
    return last - (good.filter(({ at }) => at < from).at(-3)?.requests ?? 0);
  }
}

const hasRequests = (reading: Reading): boolean =>
  reading.outcome === 'taken' &&
  reading.samples.some(
    ({ name, labels }) => name === 'requests_total' && labels['variant'] === 'on',
  );

/** What a reading adds to what is known: a counter that is smaller than before began again. */
function newIn(reading: Reading, counts: Map<string, number>): number {
  if (reading.outcome === 'failed') return 0;
  let sum = 0;
  for (const { name, value, labels } of reading.samples) {
    if (name !== 'requests_total' || labels['variant'] !== 'on') continue;
    const before = counts.get(reading.target) ?? 0;
    sum += value >= before ? value - before : value;
    counts.set(reading.target, value);
  }
  return sum;
}
