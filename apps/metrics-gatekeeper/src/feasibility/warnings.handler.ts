import type { Plan } from '@tidegate/contracts';
import { feasibilityOf, warningsOf } from '@tidegate/gates';
import { messageOf } from '@tidegate/kernel';
import { measureAtOnce, type MeasureDeps } from './measure.handler.ts';

/** A start does not wait longer for what it may be warned of. */
const PATIENCE_MS = 2_000;
/** More than these nobody reads. */
const MOST = 20;

/**
 * What a plan cannot see or prove with the traffic that there is now, as sentences for whoever starts it. Never rejects,
 * and takes two seconds at most: what could not be found out by then is said.
 */
export const createWarnings =
  (deps: MeasureDeps, patienceMs = PATIENCE_MS) =>
  async (plan: Plan, environment: string): Promise<readonly string[]> => {
    const late = Promise.withResolvers<readonly string[]>();
    const timer = setTimeout(() => late.resolve([tooLate(patienceMs)]), patienceMs);
    try {
      return await Promise.race([found(deps, plan, environment), late.promise]);
    } catch (error) {
      return [`What this plan can see is not known: ${messageOf(error)}`];
    } finally {
      clearTimeout(timer);
    }
  };

const tooLate = (ms: number): string =>
  `What this plan can see is not known: its metrics were not read within ${ms / 1_000} s.`;

async function found(
  deps: MeasureDeps,
  plan: Plan,
  environment: string,
): Promise<readonly string[]> {
  const warnings = warningsOf(feasibilityOf(plan, await measureAtOnce(deps, plan, environment)));
  const more = warnings.length - MOST;
  return more <= 0
    ? warnings
    : [...warnings.slice(0, MOST), `And ${more} more: tidegate plan feasibility ${plan.plan}`];
}
