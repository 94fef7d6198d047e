import type { Metric, Plan, Selector } from '@tidegate/contracts';
import type { ReadRequest } from '@tidegate/metrics-source';
import type { StageEvidence } from './stage-evidence.ts';
import { NO_STAGE } from './timing.ts';
import { SIGNALS, signalsOf, targetsOf, watchOf } from './watch.ts';

/** What is wanted of one target, as it is gathered from the guards. */
interface Wanted {
  readonly selectors: Selector[];
  readonly queries: string[];
  readonly rules: string[];
}

/**
 * What a check must read, one request per target; empty if the plan has no guards.
 * @param environment the rollout's: signals are reported for one
 * @param known what the check adds to, as far as it is known
 */
export function readsOf(
  plan: Plan,
  environment: string,
  known: Partial<StageEvidence> = {},
): ReadRequest[] {
  const wanted = new Map<string, Wanted>();
  const of = { stage: NO_STAGE, overall: known.overall };
  for (const guard of plan.guards) {
    const watch = watchOf(plan, guard, of);
    for (const metric of watch ? [watch.canary, watch.baseline] : [])
      if (metric) gather(wanted, metric);
  }
  return [...wanted].map(([target, { selectors, queries, rules }]) => ({
    target: target === SIGNALS ? signalsOf(environment) : target,
    metrics: [...new Set(selectors.map(({ metric }) => metric))],
    selectors,
    ...(queries.length > 0 ? { queries } : {}),
    ...(rules.length > 0 ? { rules } : {}),
  }));
}

function gather(wanted: Map<string, Wanted>, metric: Metric): void {
  for (const target of targetsOf(metric)) {
    const of = wanted.get(target) ?? { selectors: [], queries: [], rules: [] };
    of.selectors.push(...selectorsOf(metric));
    if (metric.type === 'promql') of.queries.push(metric.query);
    if (metric.type === 'alert') of.rules.push(metric.alert);
    wanted.set(target, of);
  }
}

function selectorsOf(metric: Metric): readonly Selector[] {
  switch (metric.type) {
    case 'ratio':
      return [metric.bad, metric.total];
    case 'count':
    case 'rate':
      return [metric.count];
    case 'value':
      return [metric.gauge];
    case 'signal':
      return [{ metric: metric.signal, where: metric.where }];
    case 'alert':
      return [firing(metric)];
    default:
      return [];
  }
}

/** The series that Prometheus keeps of the alerts of a rule while they fire. */
export const firing = ({ alert, where }: Extract<Metric, { type: 'alert' }>): Selector => ({
  metric: 'ALERTS',
  where: { ...where, alertname: alert, alertstate: 'firing' },
});
