import type { Metric, Plan, Selector } from '@tidegate/contracts';
import { type ReadRequest, signalsTarget } from '@tidegate/metrics-source';
import { selectorsOf } from './selectors.ts';
import type { StageEvidence } from './stage-evidence.ts';
import { NO_STAGE } from './timing.ts';
import { isScraped, SIGNALS, targetsOf, watchOf } from './watch.ts';

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
  const wanted: Wanted[] = [];
  const of = { stage: NO_STAGE, overall: known.overall };
  for (const guard of plan.guards) {
    const watch = watchOf(plan, guard, of);
    const allEdges = known.guards?.[guard.name]?.missing?.kind === 'empty';
    for (const metric of watch ? [watch.canary, watch.baseline] : [])
      if (metric) wanted.push({ metric, allEdges });
  }
  const starts = plan.liveness !== 'off';
  return requestsOf(wanted).map((request) => ({
    ...request,
    ...(request.target === SIGNALS ? { target: signalsTarget(environment) } : {}),
    ...(starts && isScraped(request.target) ? { metrics: [...request.metrics, STARTED] } : {}),
  }));
}

/** When a process says that it began: whether it restarts again and again. */
export const STARTED = 'process_start_time_seconds';

/** A metric, and whether all edges of a histogram are wanted: to say which there are, where the one is not found. */
interface Wanted {
  readonly metric: Metric;
  readonly allEdges?: boolean;
}
type Request = ReadRequest & { selectors: Selector[]; queries: string[]; rules: string[] };

/** One request per target, in the order in which they first stand. */
export function requestsOf(wanted: readonly Wanted[]): ReadRequest[] {
  const requests = new Map<string, Request>();
  for (const { metric, allEdges = false } of wanted)
    for (const target of targetsOf(metric)) {
      const known = requests.get(target);
      const request = known ?? { target, metrics: [], selectors: [], queries: [], rules: [] };
      request.selectors.push(...selectorsOf(metric, allEdges));
      if (metric.type === 'promql') request.queries.push(metric.query);
      if (metric.type === 'alert') request.rules.push(metric.alert);
      requests.set(target, request);
    }
  return [...requests.values()].map(({ target, selectors, queries, rules }) => ({
    target,
    metrics: [...new Set(selectors.map(({ metric }) => metric))],
    selectors,
    ...(queries.length > 0 ? { queries: [...new Set(queries)] } : {}),
    ...(rules.length > 0 ? { rules: [...new Set(rules)] } : {}),
  }));
}
