import type { Plan } from '@tidegate/contracts';
import { type Feasible, feasibilityOf, type Traffic, warningsOf } from '@tidegate/gates';
import { measure, type MeasureDeps } from './measure.handler.ts';

export interface FeasibilityWanted {
  readonly plan: Plan;
  readonly environment: string;
  readonly rps?: number | undefined;
  readonly errorRate?: number | undefined;
}

/** In ms; `never` where no time is long enough, null where it is not known. */
type After = number | 'never' | null;
export type FeasibleTold = Omit<Feasible, 'seenAfterMs' | 'passesAfterMs'> & {
  readonly seenAfterMs: After;
  readonly passesAfterMs: After;
};

export interface FeasibilityTold {
  readonly plan: string;
  readonly environment: string;
  /** Whether somebody has said how much traffic there is, or it was counted just now. */
  readonly from: 'stated' | 'measured';
  readonly traffic: Traffic;
  readonly guards: readonly FeasibleTold[];
  readonly warnings: readonly string[];
}

export type FindFeasibility = (wanted: FeasibilityWanted) => Promise<FeasibilityTold>;

export const createFeasibility =
  (deps: MeasureDeps): FindFeasibility =>
  async ({ plan, environment, rps, errorRate }) => {
    const traffic =
      rps === undefined
        ? await measure(deps, plan, environment)
        : statedFor(plan, rps, errorRate ?? null);
    const guards = feasibilityOf(plan, traffic);
    return {
      plan: plan.plan,
      environment,
      from: rps === undefined ? 'measured' : 'stated',
      traffic,
      guards: guards.map(told),
      warnings: warningsOf(guards),
    };
  };

/** Everybody's requests, of which each stage gives the new version its percentage. */
const statedFor = ({ metrics }: Plan, perSecond: number, badShare: number | null): Traffic =>
  Object.fromEntries(
    Object.keys(metrics).map((name) => [name, { perSecond, badShare, divided: true }]),
  );

const told = ({ seenAfterMs, passesAfterMs, ...rest }: Feasible): FeasibleTold => ({
  ...rest,
  seenAfterMs: asAfter(seenAfterMs),
  passesAfterMs: asAfter(passesAfterMs),
});
const asAfter = (ms: number | null): After => (ms === Infinity ? 'never' : ms);
