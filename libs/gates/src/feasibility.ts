import {
  type Guard,
  isWatchedStep,
  type Plan,
  watchedName,
  type WatchedStep,
} from '@tidegate/contracts';
import { FULL } from '@tidegate/kernel';
import { comparing, limited, type Reach, unseen } from './feasibility-reach.ts';
import { sentencesFor } from './feasibility-sentence.ts';
import type { SequentialPolicy } from './policy.ts';
import { policyFor } from './policy-for.ts';
import { pinRisk, type PinnedRisk } from './risk.ts';
import { testOf } from './sequential-test.ts';

/** How much there is to see of one metric: as it was counted a moment ago, or as somebody says. */
export interface MetricTraffic {
  /** Requests, or observations of a histogram, a second; null if nobody knows. */
  readonly perSecond: number | null;
  /** The share of them that are bad; of a rate, the events a second. Null if nobody knows. */
  readonly badShare: number | null;
  /** Whether a stage's percentage is the new version's part of it; else all of it counts in every stage. */
  readonly divided: boolean;
  /** Why nobody knows, as a sentence. */
  readonly unknown?: string;
}
/** By metric. */
export type Traffic = Readonly<Record<string, MetricTraffic>>;

/** What one guard can see in one stage or bake. */
export interface Feasible extends Reach {
  readonly guard: string;
  readonly judge: Guard['judge'];
  readonly step: string;
  readonly holdMs: number;
  /** Of the new version, a second; null where it is not known, or does not matter. */
  readonly perSecond: number | null;
  /** Within the hold time. */
  readonly requests: number | null;
  readonly limit: number | null;
  /** What it can see, for people. */
  readonly sentence: string;
  /** What it cannot see or prove; empty if it can do what the plan asks of it. */
  readonly warnings: readonly string[];
}

/** The new version's part of the traffic in this step, 0 … 1; null where named users or a variant say who gets it. */
export function shareOf({ steps }: Plan, step: WatchedStep): number | null {
  const index = steps.findIndex((each) => each === step);
  const newest = steps
    .slice(0, index + 1)
    .findLast((each) => 'stage' in each && each.percentage !== undefined);
  return newest && 'percentage' in newest && newest.percentage !== undefined
    ? newest.percentage / FULL
    : null;
}

/** Of each guard in each stage and bake, in the plan's order: what it can see with this traffic, and how fast. */
export function feasibilityOf(plan: Plan, traffic: Traffic): Feasible[] {
  const pinned = pinRisk(plan);
  return plan.steps
    .filter(isWatchedStep)
    .flatMap((step) => plan.guards.map((guard) => feasible(plan, pinned, guard, step, traffic)));
}

/** All that the plan cannot see, each thing once. */
export const warningsOf = (feasible: readonly Feasible[]): string[] => [
  ...new Set(feasible.flatMap(({ warnings }) => warnings)),
];

function feasible(
  plan: Plan,
  pinned: PinnedRisk,
  guard: Guard,
  step: WatchedStep,
  traffic: Traffic,
): Feasible {
  const metric = traffic[guard.metric];
  const share = metric?.divided === false ? 1 : shareOf(plan, step);
  const perSecond =
    metric?.perSecond === undefined || metric.perSecond === null || share === null
      ? null
      : metric.perSecond * share;
  const requests = perSecond === null ? null : Math.floor((perSecond * step.hold) / 1_000);
  const seen = { perSecond, share, holdMs: step.hold, traffic: metric };
  const reach = reachOf(plan, pinned, guard, step, seen);
  const about = {
    guard: guard.name,
    judge: guard.judge,
    step: watchedName(step),
    holdMs: step.hold,
    perSecond,
    requests,
    limit: guard.judge === 'sequential' ? (guard.limit ?? null) : null,
    ...reach,
  };
  return { ...about, ...sentencesFor({ plan, guard, step, about, traffic: metric, share }) };
}

export interface Seen {
  readonly perSecond: number | null;
  readonly share: number | null;
  readonly holdMs: number;
  readonly traffic: MetricTraffic | undefined;
}

function reachOf(
  plan: Plan,
  pinned: PinnedRisk,
  guard: Guard,
  step: WatchedStep,
  seen: Seen,
): Reach {
  switch (guard.judge) {
    case 'immediate':
      return { ...unseen, seenAfterMs: plan.checkEvery, passesAfterMs: step.hold };
    case 'sustained':
      return { ...unseen, seenAfterMs: guard.for, passesAfterMs: step.hold };
    case 'split':
      return { ...unseen, passesAfterMs: step.hold };
    case 'sequential': {
      const metric = plan.metrics[guard.metric];
      if (!metric) return unseen;
      const policy = policyFor(guard, metric, step, plan, pinned) as SequentialPolicy;
      return sequentialReach(policy, seen);
    }
  }
}

/** A recorded baseline is taken to be as long as it must be: what it adds to its own rate is left out. */
function sequentialReach(policy: SequentialPolicy, seen: Seen): Reach {
  const badShare = seen.traffic?.badShare ?? null;
  const recorded = badShare === null ? null : { bad: badShare * LONG, total: LONG };
  const test = testOf(policy, { ageMs: 0, missing: null, recorded });
  if (test === null) return unseen;
  return test.compares ? comparing(policy, test, seen) : limited(policy, test, seen);
}

const LONG = 1e9;
