import type { Verdict } from '@tidegate/contracts';
import { logRiskScore, shareKey } from '@tidegate/gates';
import type { Common } from './state.ts';

/** ln E of each guard that has one, by share key. */
export const logEsOf = (
  step: string,
  verdicts: readonly Verdict[],
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    verdicts.flatMap(({ guard, logE }) =>
      logE === null ? [] : [[shareKey(guard, step), logE] as const],
    ),
  );

/**
 * R = Σ w·E, the risk score: 1 at the start, 1/α or more once a guard has breached. Of steps that were left it takes the
 * evidence that they were left on; what a person has passed over is not held against the rest.
 */
export function riskScore(
  { risk, logEs }: Pick<Common, 'risk' | 'logEs'>,
  step: string,
  verdicts: readonly Verdict[],
): number {
  const score = Math.exp(logRiskScore(risk, { ...logEs, ...logEsOf(step, verdicts) }));
  return Math.min(score, Number.MAX_VALUE);
}
