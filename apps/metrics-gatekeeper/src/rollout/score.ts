import type { Plan, Verdict } from '@tidegate/contracts';
import { logRiskScore, riskLevels, shareKey } from '@tidegate/gates';
import type { Common } from './state.ts';

type LogEs = Readonly<Record<string, number>>;

/** ln E of each guard that has one, by share key. */
export const logEsOf = (step: string, verdicts: readonly Verdict[]): LogEs =>
  Object.fromEntries(
    verdicts.flatMap(({ guard, logE }) =>
      logE === null ? [] : [[shareKey(guard, step), logE] as const],
    ),
  );

/** Of the way from 1, the score of a beginning, to the lowest level. */
const LEFT_AT_MOST = 1 / 4;

/**
 * R = Σ w·E, the risk score: 1 at the start, 1/α or more once a guard has breached. Of steps that were left it takes the
 * evidence that they were left on. That never changes again: all of it together raises the score by at most a quarter
 * of the way to the lowest level, so that a level comes, and goes, by what the step that is exposed now shows.
 */
export function riskScore(
  rollout: Pick<Common, 'risk' | 'plan' | 'logEs' | 'exposed'>,
  step: string,
  verdicts: readonly Verdict[],
): number {
  const logEs = { ...rollout.logEs, ...logEsOf(step, verdicts) };
  const score = Math.exp(logScore(rollout, rollout.exposed?.stage ?? step, logEs));
  return Math.min(score, Number.MAX_VALUE);
}

/** ln R while `step` is exposed. */
export function logScore(
  { risk, plan }: Pick<Common, 'risk' | 'plan'>,
  step: string,
  logEs: LogEs,
): number {
  const own = new Set(plan.guards.map(({ name }) => shareKey(name, step)));
  const left = Object.fromEntries(
    Object.entries(risk.shares).filter(([key]) => key in logEs && !own.has(key)),
  );
  const start = Object.values(left).reduce((sum, share) => sum + share, 0);
  const most = Math.log(start + LEFT_AT_MOST * wayToLevel(plan));
  const excess = Math.max(0, logRiskScore({ ...risk, shares: left }, logEs) - most);
  const bounded = Object.entries(logEs).map(
    ([key, logE]) => [key, key in left ? logE - excess : logE] as const,
  );
  return logRiskScore(risk, Object.fromEntries(bounded));
}

/** From 1 to the lowest level that is one. */
const wayToLevel = (plan: Plan): number =>
  Math.min(...Object.values(riskLevels(plan)).filter((level) => level > 1)) - 1;
