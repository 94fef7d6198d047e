import type { Plan } from '@tidegate/contracts';
import { type Feasible, feasibilityOf, warningsOf } from '@tidegate/gates';
import { messageOf } from '@tidegate/kernel';
import { measureAtOnce, type MeasureDeps } from './measure.handler.ts';

/** A start does not wait longer for what it may be warned of. */
const PATIENCE_MS = 2_000;
/** More than these nobody reads; the last says where the others stand. */
const MOST = 5;

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
  const feasible = feasibilityOf(plan, await measureAtOnce(deps, plan, environment));
  const warnings = warningsOf(firstOfEach(feasible));
  if (warnings.length <= MOST) return warnings;
  const more = warnings.length - MOST + 1;
  return [...warnings.slice(0, -more), `And ${more} more: tidegate plan feasibility ${plan.plan}`];
}

/** What each guard cannot do in its first step that has a warning comes before what the same guards cannot do later. */
function firstOfEach(feasible: readonly Feasible[]): readonly Feasible[] {
  const warned = feasible.filter(({ warnings }) => warnings.length > 0);
  const first = new Map(warned.toReversed().map((each) => [each.guard, each]));
  const isFirst = (each: Feasible) => first.get(each.guard) === each;
  return [...warned.filter(isFirst), ...warned.filter((each) => !isFirst(each))];
}
