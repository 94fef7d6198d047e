import { FACTORS, LIMIT, RISK } from './gates.cases.ts';
import { changeOf, regressionTraffic, usualRivals } from './gates.measure.ts';
import { median, quantile } from './gates.numbers.ts';
import { planOf, type Shape } from './gates.plan.ts';
import { type Rival, rivals, type Setting } from './gates.rivals.ts';
import { type Seen, seenBy } from './gates.seen.ts';
import { intervalsOf } from './gates.rollout.ts';
import { bursty, steady } from './gates.models.ts';
import { traffic } from './gates.traffic.ts';

export interface Field {
  readonly shape: Shape;
  readonly requestsPerSecond: number;
  readonly late: boolean;
  /** Rate of failures of the healthy rollouts, as a multiple of the limit. */
  readonly healthyAt: number;
  /** How many rollouts of each kind. */
  readonly healthy: number;
  readonly broken: number;
}

/** A rule with all its options, and how it does. */
export interface Tuned {
  readonly setting: Setting;
  readonly step: number;
  /** Of so many healthy rollouts, in the worse of two models: requests come evenly, or in bursts. */
  readonly falseRollbacks: number;
  readonly healthy: number;
  /** By factor, in seconds; Infinity where it finds fewer than that many. */
  readonly medians: readonly number[];
  readonly ninetieths: readonly number[];
}
export interface RivalResult {
  readonly name: string;
  readonly usual: readonly (Tuned & { readonly label: string })[];
  /** One setting for all regressions, since nobody knows beforehand which one comes. */
  readonly overall: Tuned | null;
  /** For each factor the setting that finds just this one soonest. */
  readonly each: readonly (Tuned | null)[];
}

/**
 * Every rule on the traffic that Tidegate is measured with, as it is usually set and as it is best set: of the settings
 * that roll back no more healthy rollouts than the plan's risk, the one with the least delays. They must keep to it in
 * other rollouts than they were chosen by, else the luckiest of hundreds would be chosen.
 */
export function compare(field: Field): RivalResult[] {
  const chosenBy = grounds(field);
  const countedIn = { ...chosenBy, healthy: healthyOf(field, field.healthy) };
  return rivals.map((rival) => {
    const again = ({ setting, step }: { setting: Setting; step: number }) =>
      measured(rival, countedIn, setting).filter((tuned) => tuned.step === step);
    const all = rival.settings.flatMap((setting) => measured(rival, chosenBy, setting));
    const best = (cost: (tuned: Tuned) => number): Tuned | null => {
      const candidates = all
        .filter((tuned) => isAllowed(tuned) && cost(tuned) < Infinity)
        .toSorted((a, b) => cost(a) - cost(b))
        .slice(0, MOST_TRIED);
      for (const candidate of candidates) {
        const [tuned] = again(candidate);
        if (tuned && isAllowed(tuned)) return tuned;
      }
      return null;
    };
    const usual = usualRivals().filter((each) => each.rival === rival);
    return {
      name: rival.name,
      usual: usual.flatMap((each) => again(each).map((tuned) => ({ ...tuned, label: each.label }))),
      overall: best(cost(field)),
      each: FACTORS.map((_, i) => best(({ medians }) => medians[i]!)),
    };
  });
}

const MOST_TRIED = 40;
const isAllowed = ({ falseRollbacks, healthy }: Tuned) =>
  falseRollbacks <= Math.floor(RISK * healthy);

/** The product of the delays, where what is missed counts as the time that there was. */
const cost =
  ({ shape, late }: Field) =>
  ({ medians }: Tuned): number => {
    const most = late ? 14_400 : shape.holdsMs.reduce((sum, hold) => sum + hold, 0) / 1_000;
    return medians.reduce((sum, delay) => sum + Math.log(Math.min(delay, most)), 0);
  };

interface Grounds {
  readonly until: number;
  readonly intervalMs: number;
  readonly healthy: readonly (readonly Seen[])[];
  readonly broken: readonly (readonly { readonly seen: Seen; readonly changeAt: number }[])[];
}

function grounds(field: Field): Grounds {
  const { shape, requestsPerSecond, late } = field;
  const until = intervalsOf(planOf(shape)).usual;
  const intervalMs = shape.checkEveryMs;
  const broken = FACTORS.map((factor) =>
    seeds(field.broken).map((seed) => ({
      seen: seenBy(regressionTraffic({ shape, requestsPerSecond, factor, late }, until, seed)),
      changeAt: changeOf(late, intervalMs, seed),
    })),
  );
  return { until, intervalMs, healthy: healthyOf(field, 0), broken };
}

const seeds = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

function healthyOf(field: Field, after: number): Seen[][] {
  const { shape, requestsPerSecond, healthyAt, healthy } = field;
  const intervals = intervalsOf(planOf(shape)).usual;
  const rates = [LIMIT * healthyAt];
  const wanted = {
    intervals,
    intervalMs: shape.checkEveryMs,
    requestsPerSecond,
    baseline: 0,
    rates,
  };
  return [steady, bursty].map((model) =>
    seeds(healthy).map((seed) => seenBy(traffic(model, wanted, 104_729 * (seed + after)))),
  );
}

/** One setting, with every step of the rule's ladder. */
function measured(
  rival: Rival,
  { until, intervalMs, healthy, broken }: Grounds,
  setting: Setting,
): Tuned[] {
  const decide = (seen: Seen) => rival.decide(seen, until, [LIMIT], setting);
  const inHealthy = healthy.map((runs) => runs.map(decide));
  const inBroken = broken.map((runs) =>
    runs.map(({ seen, changeAt }) => ({ changeAt, at: decide(seen) })),
  );
  return rival.ladder.map((step, k) => {
    const delays = inBroken.map((runs) =>
      runs.map(({ at, changeAt }) => delayOf(at[k]!, changeAt, intervalMs)),
    );
    const wrong = inHealthy.map((runs) => runs.filter((at) => at[k] !== Infinity).length);
    return {
      setting,
      step,
      falseRollbacks: Math.max(...wrong),
      healthy: healthy[0]?.length ?? 0,
      medians: delays.map(median),
      ninetieths: delays.map((each) => quantile(each, 0.9)),
    };
  });
}

/** A rollback before the change does not find it. */
const delayOf = (at: number, changeAt: number, intervalMs: number) =>
  at < changeAt ? Infinity : ((at + 1 - changeAt) * intervalMs) / 1_000;
