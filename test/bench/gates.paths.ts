import { LIMIT, short } from './gates.cases.ts';
import { planOf } from './gates.plan.ts';
import { Draws } from './gates.random.ts';
import { judgement } from './gates.rollout.ts';
import { steady } from './gates.models.ts';
import { traffic } from './gates.traffic.ts';

const MINUTES = 40;
const shape = { ...short, holdsMs: [MINUTES * 60_000, 60_000, 60_000] as const };
export const plan = planOf(shape);
const intervals = (MINUTES * 60_000) / plan.checkEvery;
const perSecond = 20;

/** ln E of one guard's first stage, check by check: healthy at the limit, or broken from a minute on. */
export function evidenceOver(seed: number, broken?: { factor: number; fromMinute: number }) {
  const change = broken && {
    at: (broken.fromMinute * 60_000) / plan.checkEvery,
    rate: LIMIT * broken.factor,
  };
  const healthy = broken ? LIMIT / 2 : LIMIT;
  const trace = traffic(
    steady,
    {
      intervals,
      intervalMs: plan.checkEvery,
      requestsPerSecond: perSecond,
      baseline: 0,
      rates: [healthy],
      ...(change ? { change } : {}),
    },
    seed,
  );
  const judge = judgement(plan, trace);
  let now = judge.opened;
  const points: { minute: number; logE: number; threshold: number }[] = [];
  for (let i = 0; i < intervals; i += 1) {
    const { evidence, verdicts } = judge.check(now);
    now = { evidence, interval: i + 1 };
    const [verdict] = verdicts;
    points.push({
      minute: ((i + 1) * plan.checkEvery) / 60_000,
      logE: verdict?.logE ?? 0,
      threshold: verdict?.threshold ?? 0,
    });
  }
  return points;
}

/**
 * The share of healthy rollouts that have been called broken by the nth look: by a test that was made for one look, at 1 %
 * each time, and by evidence of 100 against 1.
 */
export function callsByLook(runs: number): { look: number; naive: number; ours: number }[] {
  const naive = new Float64Array(intervals);
  const ours = new Float64Array(intervals);
  for (let seed = 1; seed <= runs; seed += 1) {
    const first = evidenceOver(seed).findIndex(({ logE }) => logE >= Math.log(100));
    if (first >= 0) for (let i = first; i < intervals; i += 1) ours[i]! += 1 / runs;
  }
  for (let seed = 1; seed <= 10 * runs; seed += 1) {
    const first = firstNaive(seed);
    for (let i = first; i < intervals; i += 1) naive[i]! += 1 / (10 * runs);
  }
  return Array.from(naive, (value, i) => ({ look: i + 1, naive: value, ours: ours[i]! }));
}

/** The normal approximation's 1 % point, one-sided. */
const Z = 2.326;
function firstNaive(seed: number): number {
  const draws = new Draws(seed);
  const perCheck = (perSecond * plan.checkEvery) / 1_000;
  let [bad, total] = [0, 0];
  for (let i = 0; i < intervals; i += 1) {
    total += perCheck;
    bad += draws.binomial(perCheck, LIMIT);
    if (bad - total * LIMIT > Z * Math.sqrt(total * LIMIT * (1 - LIMIT))) return i;
  }
  return intervals;
}
