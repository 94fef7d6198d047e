import type { Plan } from '@tidegate/contracts';
import { informationLimit } from '@tidegate/statistics';
import { LIMIT, nulls } from './gates.cases.ts';
import { planOf, riskOf, type Shape } from './gates.plan.ts';
import { rivals } from './gates.rivals.ts';
import { seenBy } from './gates.seen.ts';
import { type Begun, begin, intervalsOf, type Outcome, rollOut } from './gates.rollout.ts';
import { steady } from './gates.models.ts';
import { type Trace, traffic, type Wanted } from './gates.traffic.ts';

/** Of `runs` healthy rollouts: how each rule ended them. */
export interface NullCounts {
  readonly runs: number;
  readonly rolledBack: number;
  readonly held: number;
  /** Rolled back by the others, as they are usually set; none where they have no such rule. */
  readonly rivals: Readonly<Record<string, number>>;
}

/** @param runs seeds from `first` on */
export function measureNull(index: number, first: number, runs: number): NullCounts {
  const each = nulls[index];
  if (!each) throw new RangeError(`There is no null ${index}.`);
  const { shape, requestsPerSecond, baseline } = each;
  const plan = planOf(shape);
  const { usual, most: intervals } = intervalsOf(plan);
  const rates = shape.limits.map((limit) => limit * each.healthy);
  const wanted = { intervals, intervalMs: plan.checkEvery, requestsPerSecond, baseline, rates };
  const usuals = shape.margin === undefined ? usualRivals() : [];
  const theirs = Object.fromEntries(usuals.map(({ label }) => [label, 0]));
  const ends = { 'rolled back': 0, promoted: 0, held: 0 };
  for (let seed = first; seed < first + runs; seed += 1) {
    const trace = traffic(each.model, wanted, seed);
    ends[rollOut(plan, trace).end] += 1;
    const seen = seenBy(trace);
    for (const { label, rival, setting, index: step } of usuals)
      if (rival.decide(seen, usual, shape.limits, setting)[step] !== Infinity)
        theirs[label] = (theirs[label] ?? 0) + 1;
  }
  return { runs, rolledBack: ends['rolled back'], held: ends.held, rivals: theirs };
}

/** Each rival as its defaults and its documentation's example have it. */
export const usualRivals = () =>
  rivals.flatMap((rival) =>
    rival.usual.map(({ label, setting, step }) => ({
      label: `${rival.name}, ${label}`,
      rival,
      setting,
      step,
      index: rival.ladder.indexOf(step),
    })),
  );

/** A regression of the first guard's metric. */
export interface Regression {
  readonly shape: Shape;
  readonly requestsPerSecond: number;
  readonly factor: number;
  readonly late: boolean;
}
export interface Detection {
  readonly regression: Regression;
  /** ln(1/α′)/KL, in requests. */
  readonly limit: number;
  /** By run, from the change to the rollback; Infinity where none came. */
  readonly requests: readonly number[];
  readonly seconds: readonly number[];
  readonly held: number;
  readonly missed: number;
  /** Rolled back before the change. */
  readonly early: number;
}

/** Before a regression, and in the other guards: half the usual limit. */
const HEALTHY = 0.5;
/** 20 hours into a day, each time at another moment of some minutes after them. */
export const changeOf = (late: boolean, intervalMs: number, seed: number) =>
  late ? Math.round((20 * 3_600_000) / intervalMs) + ((seed * 37) % 240) : 0;

export function regressionTraffic(
  { shape, requestsPerSecond, factor, late }: Regression,
  intervals: number,
  seed: number,
): Trace {
  const intervalMs = shape.checkEveryMs;
  const rates = [LIMIT, ...shape.limits.slice(1)].map((limit) => limit * HEALTHY);
  const change = { at: changeOf(late, intervalMs, seed), rate: LIMIT * factor };
  const wanted: Wanted = { intervals, intervalMs, requestsPerSecond, baseline: 0, rates, change };
  return traffic(steady, wanted, 7_919 * seed);
}

/** Rollouts with each of the regressions; what comes before a late one is the same for all, and judged once. */
export function detections(
  shape: Shape,
  requestsPerSecond: number,
  late: boolean,
  runs: number,
  factors: readonly number[],
): Detection[] {
  const plan = planOf(shape);
  const found = factors.map((factor) => ({
    regression: { shape, requestsPerSecond, factor, late },
    runs: [] as Found[],
  }));
  for (let seed = 1; seed <= runs; seed += 1) {
    const changeAt = changeOf(late, plan.checkEvery, seed);
    let begun: Begun | Outcome | undefined;
    for (const { regression, runs } of found) {
      const trace = regressionTraffic(regression, lengthOf(plan, regression, changeAt), seed);
      if (late) begun ??= begin(plan, trace, changeAt);
      const outcome = begun && 'end' in begun ? begun : rollOut(plan, trace, begun);
      runs.push({ outcome, trace, changeAt });
    }
  }
  return found.map(({ regression, runs }) => summedUp(regression, limitOf(plan, regression), runs));
}

/** Traffic is made for as long as it is needed: short rollouts whole, of long ones ten times the information limit. */
function lengthOf(plan: Plan, regression: Regression, changeAt: number) {
  const intervals =
    (limitOf(plan, regression) / regression.requestsPerSecond) * (1_000 / plan.checkEvery);
  return Math.min(intervalsOf(plan).most, changeAt + Math.ceil(10 * intervals) + 1_100);
}

const limitOf = (plan: Plan, { shape, factor }: Regression) =>
  informationLimit({ limit: shape.limits[0] ?? LIMIT, rate: LIMIT * factor, risk: riskOf(plan) });

interface Found {
  readonly outcome: Outcome;
  readonly trace: Trace;
  readonly changeAt: number;
}

function summedUp(regression: Regression, limit: number, found: readonly Found[]): Detection {
  const delays = found.map(({ outcome: { end, interval }, changeAt }) =>
    end === 'rolled back' && interval >= changeAt ? interval + 1 - changeAt : Infinity,
  );
  const requests = found.map(({ trace, changeAt }, run) => {
    const [delay = Infinity, arm] = [delays[run], trace.canary[0]];
    if (delay === Infinity || !arm) return Infinity;
    return arm.requests.subarray(changeAt, changeAt + delay).reduce((sum, n) => sum + n, 0);
  });
  const count = (is: (each: Found) => boolean) => found.filter(is).length;
  return {
    regression,
    limit,
    requests,
    seconds: delays.map((delay) => (delay * regression.shape.checkEveryMs) / 1_000),
    held: count(({ outcome }) => outcome.end === 'held'),
    missed: count(({ outcome }) => outcome.end === 'promoted'),
    early: count(
      ({ outcome: { end, interval }, changeAt }) => end === 'rolled back' && interval < changeAt,
    ),
  };
}
