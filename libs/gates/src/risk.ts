import type { Plan } from '@tidegate/contracts';

/** Fixed when the rollout starts: `risk` is α of the whole rollout, `shares` the w of each sequential guard × stage. */
export interface PinnedRisk {
  readonly risk: number;
  readonly shares: Readonly<Record<string, number>>;
}

export const shareKey = (guard: string, stage: string): string => `${guard}@${stage}`;

/**
 * Shares in proportion to the guards' weights, equal over the stages, Σ w = 1. Each breaches at E ≥ 1/(α·w), so by
 * the union bound a healthy rollout is rolled back with probability at most α, whatever depends on what.
 */
export function pinRisk(plan: Plan): PinnedRisk {
  const guards = plan.guards.filter((guard) => guard.judge === 'sequential');
  const stages = plan.steps.filter((step) => 'stage' in step);
  const whole = guards.reduce((total, { weight }) => total + weight, 0) * stages.length;
  const shares = stages.flatMap(({ stage }) =>
    guards.map(({ name, weight }) => [shareKey(name, stage), weight / whole] as const),
  );
  return { risk: plan.risk, shares: Object.fromEntries(shares) };
}

/**
 * ln R, where R = Σ w·E is the risk score people see: 1 at the start, 1/α or more once a guard has breached.
 * @param logEs ln E by share key; what has not started has E = 1
 */
export function logRiskScore(
  { shares }: PinnedRisk,
  logEs: Readonly<Record<string, number>>,
): number {
  const terms = Object.entries(shares).map(([key, share]) => Math.log(share) + (logEs[key] ?? 0));
  if (terms.length === 0) return 0;
  const most = Math.max(...terms);
  return most + Math.log(terms.reduce((total, term) => total + Math.exp(term - most), 0));
}
