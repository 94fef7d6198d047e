import { demand } from './arguments.ts';
import { LogSum } from './log-sum.ts';

/** How a test that starts anew in every window is weighted: fixed beforehand, in all at most 1. */
export interface StartWeights {
  /** The weight of the test that starts in a window; the stage's first window is 0. */
  of(start: number): number;
  /** The weight of all tests that start after a window. */
  after(window: number): number;
}

/** The evidence of the test that counts from window `start` on. */
export interface StartedEvidence {
  readonly start: number;
  readonly logE: number;
}

const FIRST = 0.5;
const LATER = 0.05;

/**
 * Weights for a stage of `horizon` windows that may last longer: the first start has ½, the others within the horizon
 * share 0.45 evenly, and all after it 0.05, as horizon / (j (j + 1)). With one window the first start has 0.95.
 * Thrown STATISTICS_ARGUMENT when the horizon is no whole number from 1 on.
 */
export function startWeights(horizon: number): StartWeights {
  demand(Number.isSafeInteger(horizon) && horizon >= 1, { horizon });
  const first = horizon === 1 ? 1 - LATER : FIRST;
  const within = horizon === 1 ? 0 : (1 - LATER - FIRST) / (horizon - 1);
  return {
    of(start) {
      if (start === 0) return first;
      return start < horizon ? within : (LATER * horizon) / (start * (start + 1));
    },
    after(window) {
      if (window >= horizon) return (LATER * horizon) / (window + 1);
      return LATER + within * (horizon - 1 - window);
    },
  };
}

/**
 * ln Σ wⱼ Eⱼ over the starts, plus the weight of those that have not started by `window`, each of which is worth 1: an
 * e-value for the whole stage that need not win back the good evidence from before a late change. A start that is left
 * out counts as nothing, which only lowers E. Starts in ascending order, none twice.
 * Thrown STATISTICS_ARGUMENT when they are not.
 */
export function mixStarts(
  weights: StartWeights,
  starts: readonly StartedEvidence[],
  window: number,
): number {
  demand(isAscending(starts, window), { starts, window });
  const sum = new LogSum();
  sum.add(Math.log(weights.after(window)));
  for (const { start, logE } of starts) sum.add(Math.log(weights.of(start)) + logE);
  return sum.log;
}

function isAscending(starts: readonly StartedEvidence[], window: number): boolean {
  let before = -1;
  for (const { start } of starts) {
    if (!(Number.isSafeInteger(start) && start > before)) return false;
    before = start;
  }
  return before <= window;
}
