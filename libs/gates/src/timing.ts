import {
  type Guard,
  type GuardOf,
  isWatchedStep,
  type Metric,
  type Plan,
  type Source,
  type WatchedStep,
  watchedName,
} from '@tidegate/contracts';

/** Name of the time before the first stage, when nothing is exposed yet. */
export const NO_STAGE = '';

/** A hold time is divided into at most so many windows. */
const MOST_IN_A_HOLD = 5_760;
/** `for` of a sustained guard is at most so many steps. */
export const MOST_STEPS = 720;

/**
 * Two successful checks further apart than three intervals leave a gap between them: of the plan's, or of a Prometheus
 * that scrapes less often.
 */
export const maxGapMs = (plan: Plan, ...metrics: readonly Metric[]): number =>
  3 * Math.max(plan.checkEvery, ...metrics.map(scrapeIntervalOf));

/** How often what a metric reads is new; 0 where every check finds it anew. */
export const scrapeIntervalOf = (metric: Metric): number =>
  Math.max(
    0,
    ...sourcesOf(metric).map((source) =>
      'prometheus' in source ? source.prometheus.scrapeInterval : 0,
    ),
  );

/** The metric's own source, and those of its arms. */
function sourcesOf(metric: Metric): Source[] {
  if (metric.type === 'signal') return [];
  const arms = 'canary' in metric || 'baseline' in metric ? [metric.canary, metric.baseline] : [];
  const own = arms.flatMap((arm) => (arm && 'source' in arm && arm.source ? [arm.source] : []));
  return [metric.source, ...own];
}

export const watchedStep = (plan: Plan, name: string): WatchedStep | undefined =>
  plan.steps.filter(isWatchedStep).find((step) => watchedName(step) === name);

/** Width of the windows by which a stage's counts are kept: a multiple of checkEvery. */
export function windowMsOf({ checkEvery }: Plan, step: WatchedStep | undefined): number {
  const hold = step?.hold ?? 0;
  return checkEvery * Math.max(1, Math.ceil(hold / MOST_IN_A_HOLD / checkEvery));
}

/** How many windows the hold time has: their starts share the weight. */
export const horizonOf = (plan: Plan, step: WatchedStep | undefined): number =>
  Math.max(1, Math.ceil((step?.hold ?? 0) / windowMsOf(plan, step)));

/** Time that one sample of a sustained guard sums up. */
export const stepMsOf = (plan: Plan, guard: GuardOf<'sustained'>, metric: Metric): number =>
  Math.max(
    guard.step ?? Math.ceil(guard.for / MOST_STEPS),
    plan.checkEvery,
    scrapeIntervalOf(metric),
  );

/** Whether everybody has the new version in this step: there is nobody left to compare with. */
export function isEveryone(plan: Plan, name: string): boolean {
  let percentage = 0;
  for (const step of plan.steps.filter(isWatchedStep)) {
    if ('stage' in step && step.percentage !== undefined) percentage = step.percentage;
    if (watchedName(step) === name) return percentage >= 100_000;
  }
  return false;
}

/** Whether a guard needs a baseline's counts beside the canary's. */
export const compares = (guard: Guard): boolean =>
  guard.judge === 'split' || (guard.judge === 'sequential' && guard.margin !== undefined);
