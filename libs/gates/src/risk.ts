import {
  type Guard,
  type GuardOf,
  isWatchedStep,
  type Plan,
  watchedName,
} from '@tidegate/contracts';

/** Fixed when the rollout starts: `risk` is α of the whole rollout, `shares` the w of each sequential guard × stage. */
export interface PinnedRisk {
  readonly risk: number;
  readonly shares: Readonly<Record<string, number>>;
}

export const shareKey = (guard: string, stage: string): string => `${guard}@${stage}`;

const tests = (guard: Guard): guard is GuardOf<'sequential'> => guard.judge === 'sequential';
const watched = ({ steps }: Plan): string[] => steps.filter(isWatchedStep).map(watchedName);

/** Weights of the guards that act. */
const weightOf = ({ guards }: Plan): number =>
  guards.reduce((sum, guard) => sum + (tests(guard) && !guard.shadow ? guard.weight : 0), 0);

/**
 * Shares in proportion to the guards' weights, equal over stages and bakes, Σ w = 1. Each breaches at E ≥ 1/(α·w), so by
 * the union bound a healthy rollout is rolled back with probability at most α, whatever depends on what. Guards in
 * shadow cannot roll back: they take no part of it.
 */
export function pinRisk(plan: Plan): PinnedRisk {
  const guards = plan.guards.filter(tests).filter(({ shadow }) => !shadow);
  const stages = watched(plan);
  const whole = weightOf(plan) * stages.length;
  const shares = stages.flatMap((stage) =>
    guards.map(({ name, weight }) => [shareKey(name, stage), weight / whole] as const),
  );
  return { risk: plan.risk, shares: Object.fromEntries(shares) };
}

/** The share that a guard in shadow would have if it were one of those that act. */
export const shareOfShadow = (plan: Plan, { weight }: GuardOf<'sequential'>): number =>
  weight / ((weightOf(plan) + weight) * Math.max(1, watched(plan).length));

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

/** Scores R that are acted on below the one that rolls back, which is 1/α: unless the plan says it, a tenth and a fifth. */
export function riskLevels({ risk, levels }: Plan): { notify: number; hold: number } {
  return { notify: levels.notify ?? 0.1 / risk, hold: levels.hold ?? 0.2 / risk };
}
