import type { Arm, Guard, Metric, Plan, Recorded, Selector } from '@tidegate/contracts';
import { prometheusTarget, signalsEnvironment } from '@tidegate/metrics-source';
import { compares, isEveryone, maxGapMs, scrapeIntervalOf, stepMsOf } from './timing.ts';

/** What one guard counts or reads in one step. */
export interface Watch {
  readonly guard: Guard;
  /** The metric as its canary has it; as a whole where there is none. */
  readonly canary: Metric;
  /** The metric as its baseline has it at the same time, where the two are compared. */
  readonly baseline: Metric | null;
  /** What it was before the rollout began, where it is compared with that. */
  readonly recorded: Recorded | null;
  /** Longest time between two successful checks that still counts as covered. */
  readonly maxGapMs: number;
  /** Of a sustained guard. */
  readonly stepMs: number;
  /** How often what is read is new; 0 where every check finds it anew. */
  readonly scrapeMs: number;
}

/** Which step is watched. `overall`: what everybody has, whatever it is compared with: whether all is well again. */
export interface WatchedStage {
  readonly stage: string;
  readonly overall?: true | undefined;
}

/** Undefined where the plan has no such metric. */
export function watchOf(plan: Plan, guard: Guard, of: WatchedStage): Watch | undefined {
  const metric = plan.metrics[guard.metric];
  if (metric === undefined) return undefined;
  const { canary, baseline } = armsOf(metric);
  const hasOthers = of.overall === undefined && !isEveryone(plan, of.stage);
  const concurrent = compares(guard) && baseline && 'where' in baseline && hasOthers;
  return {
    guard,
    canary: narrowed(metric, of.overall ? undefined : canary),
    baseline: concurrent ? narrowed(metric, baseline) : null,
    recorded: compares(guard) && baseline && 'recorded' in baseline ? baseline.recorded : null,
    maxGapMs: maxGapMs(plan, metric),
    scrapeMs: scrapeIntervalOf(metric),
    stepMs: guard.judge === 'sustained' ? stepMsOf(plan, guard, metric) : plan.checkEvery,
  };
}

const armsOf = (
  metric: Metric,
): {
  canary?: Arm | undefined;
  baseline?: (object & (Arm | { recorded: Recorded })) | undefined;
} => ('canary' in metric || 'baseline' in metric ? metric : {});

/** The metric of that part of the traffic alone. Where both name a label, the part's value counts. */
export function narrowed(metric: Metric, arm: Arm | undefined): Metric {
  if (metric.type === 'signal' || metric.type === 'promql' || metric.type === 'alert')
    return metric;
  const { canary: _canary, baseline: _baseline, ...whole } = metric;
  const source = arm?.source ?? metric.source;
  const of = (selector: Selector): Selector => ({
    ...selector,
    where: { ...selector.where, ...arm?.where },
  });
  switch (whole.type) {
    case 'ratio':
      return { ...whole, source, bad: of(whole.bad), total: of(whole.total) };
    case 'latency':
      return { ...whole, source, histogram: of(whole.histogram) };
    case 'value':
      return { ...whole, source, gauge: of(whole.gauge) };
    default:
      return { ...whole, source, count: of(whole.count) };
  }
}

/** Stands for the signals of whichever environment the rollout is in. */
export const SIGNALS = 'signals';

/** Where a metric is read: addresses that are scraped, one Prometheus, or what is reported to Tidegate. */
export function targetsOf(metric: Metric): readonly string[] {
  if (metric.type === 'signal') return [SIGNALS];
  const { source } = metric;
  return 'scrape' in source
    ? [...new Set(source.scrape)]
    : [prometheusTarget(source.prometheus.url)];
}

/** Whether the target is an address whose text is read, and not a Prometheus or what is reported. */
export const isScraped = (target: string): boolean => /^https?:/.test(target);

/** The target that a reading is of, as `targetsOf` names it. */
export const targetNamed = (target: string): string =>
  signalsEnvironment(target) === undefined ? target : SIGNALS;
