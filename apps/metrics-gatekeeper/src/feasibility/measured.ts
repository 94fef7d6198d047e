import type { Guard, Metric, Plan } from '@tidegate/contracts';
import { checkStage, factsOf, type MetricTraffic, openStage, type Traffic } from '@tidegate/gates';
import { formatDuration } from '@tidegate/kernel';
import type { Reading } from '@tidegate/metrics-source';

/** What targets counted at one instant. */
export interface Taken {
  readonly readings: readonly Reading[];
  readonly at: number;
}

/** Of which it matters how much there is of them. */
const COUNTED: ReadonlySet<Metric['type']> = new Set(['ratio', 'latency', 'rate']);

/** Every metric that is counted, by a guard that counts it as a whole: whatever part of it is the new version's. */
export function countingPlan(plan: Plan): Plan {
  const watched = new Set(plan.guards.map(({ metric }) => metric));
  const guards = Object.entries(plan.metrics).flatMap(([name, { type }]): Guard[] =>
    COUNTED.has(type) && watched.has(name) ? [guardOf(name)] : [],
  );
  return { ...plan, guards, liveness: 'off' };
}

const guardOf = (metric: string): Guard => ({
  name: metric,
  metric,
  judge: 'sequential',
  shadow: false,
  limit: 0.5,
  weight: 1,
  gate: 'none',
});

/** Of each metric what it counted between the two, by the same rules as any check. */
export function trafficBetween(plan: Plan, first: Taken, last: Taken): Traffic {
  const counting = countingPlan(plan);
  const opened = openStage(counting, '', first.at, undefined, { overall: true });
  const before = checkStage(counting, opened, first.readings, first.at);
  const after = checkStage(counting, before, last.readings, last.at);
  return Object.fromEntries(
    counting.guards.map(({ name }) => {
      const evidence = after.guards[name];
      const metric = plan.metrics[name];
      if (!evidence || !metric) return [name, unknownOf(metric, `${name} was not read.`)];
      const { since = [], missing } = factsOf(evidence, last.at);
      if (missing) return [name, unknownOf(metric, missing.detail)];
      const then = before.guards[name]?.missing;
      const ago = formatDuration(last.at - first.at);
      if (then) return [name, unknownOf(metric, `${ago} ago it was not counted: ${then.detail}`)];
      return [name, trafficOf(name, metric, since[0], last.at - first.at)];
    }),
  );
}

interface Counted {
  readonly bad: number;
  readonly total: number;
}

function trafficOf(
  name: string,
  metric: Metric,
  { bad, total }: Counted = { bad: 0, total: 0 },
  ms: number,
): MetricTraffic {
  const divided = isDivided(metric);
  if (metric.type === 'rate')
    return { perSecond: null, badShare: (bad / ms) * metric.per, divided };
  if (total === 0) {
    const why = divided ? '' : ': it may count only what nobody has yet';
    return unknownOf(metric, `${name} counts nothing now${why}.`);
  }
  return { perSecond: (total / ms) * 1_000, badShare: Math.min(1, bad / total), divided };
}

/** Whether the metric tells the new version from others; else all that it counts is counted in every stage. */
const isDivided = (metric: Metric | undefined): boolean =>
  metric !== undefined && 'canary' in metric && metric.canary !== undefined;

export const unknownOf = (metric: Metric | undefined, unknown: string): MetricTraffic => ({
  perSecond: null,
  badShare: null,
  divided: isDivided(metric),
  unknown,
});
