import { type Plan, plan as planSchema } from '@tidegate/contracts';
import { pinRisk, shareKey } from '@tidegate/gates';

/** A rollout of three stages, as it is measured here. */
export interface Shape {
  readonly checkEveryMs: number;
  readonly holdsMs: readonly [number, number, number];
  /** Of each guard: the highest healthy rate. */
  readonly limits: readonly number[];
  /** Compared with a baseline at the same time instead, by how much it may be worse. */
  readonly margin?: number;
  readonly risk: number;
}

/** Where the metrics of a measured rollout are read. */
export const TARGET = 'http://canary:9100/metrics';
export const STAGES = ['first', 'second', 'third'] as const;
const PERCENTAGES = [5, 25, 50];
const seconds = (ms: number) => `${ms / 1_000}s`;

export function planOf({ checkEveryMs, holdsMs, limits, margin, risk }: Shape): Plan {
  const arms = {
    canary: { where: { variant: 'on' } },
    ...(margin === undefined ? {} : { baseline: { where: { variant: 'off' } } }),
  };
  const metrics = limits.map((_, i) => [
    `metric-${i}`,
    {
      type: 'ratio',
      source: { scrape: [TARGET] },
      bad: { metric: `bad_${i}_total` },
      total: { metric: `requests_${i}_total` },
      ...arms,
    },
  ]);
  const guards = limits.map((limit, i) => ({
    name: `guard-${i}`,
    judge: 'sequential',
    metric: `metric-${i}`,
    ...(margin === undefined ? { limit } : { margin }),
  }));
  const steps = STAGES.map((stage, i) => ({
    stage,
    percentage: PERCENTAGES[i],
    hold: seconds(holdsMs[i] ?? 0),
  }));
  return planSchema.parse({
    plan: 'measured',
    flag: 'measured',
    risk,
    checkEvery: seconds(checkEveryMs),
    metrics: Object.fromEntries(metrics),
    guards,
    steps,
  });
}

/** The share of the risk that one guard has in one stage: what its evidence must overcome. */
export const riskOf = (plan: Plan): number => {
  const { risk, shares } = pinRisk(plan);
  return risk * (shares[shareKey('guard-0', STAGES[0])] ?? Number.NaN);
};
