import type { Guard, GuardOf, Metric, Plan, WatchedStep } from '@tidegate/contracts';
import { isWatchedStep, watchedName } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import type { GateErrorCode } from './errors.ts';
import type { LivenessPolicy, Policy, SequentialPolicy, SplitPolicy } from './policy.ts';
import { type PinnedRisk, shareKey, shareOfShadow } from './risk.ts';
import { multipleOf } from './sequential-test.ts';
import { horizonOf, isEveryone, maxGapMs, NO_STAGE, stepMsOf } from './timing.ts';

/**
 * How a guard is judged in a step; before the first, where nothing is exposed, `step` is undefined. Thrown
 * GATE_SHARE_MISSING when its share of the risk was not pinned.
 */
export function policyFor(
  guard: Guard,
  metric: Metric,
  step: WatchedStep | undefined,
  plan: Plan,
  pinned: PinnedRisk,
): Policy {
  const base = { guard: guard.name, shadow: guard.shadow, maxAgeMs: maxGapMs(plan, metric) };
  switch (guard.judge) {
    case 'sequential':
      return { ...base, ...sequential(guard, metric, step, plan, pinned) };
    case 'sustained':
      return {
        ...base,
        ...threshold(guard),
        judge: 'sustained',
        kind: kindOf(guard, metric, ['ratio', 'latency', 'rate', 'value', 'promql']),
        forMs: guard.for,
        stepMs: stepMsOf(plan, guard, metric),
        coverage: guard.coverage,
      };
    case 'immediate':
      return {
        ...base,
        ...threshold(guard),
        judge: 'immediate',
        kind: kindOf(guard, metric, ['count', 'rate', 'signal', 'value', 'promql', 'alert']),
      };
    case 'split':
      return { ...base, ...split(guard, metric, step, plan) };
  }
}

/** Without a threshold nothing may happen at all. */
const threshold = ({ above, below }: GuardOf<'sustained' | 'immediate'>) => ({
  above: above ?? (below === undefined ? 0 : null),
  below: below ?? null,
});

function kindOf<K extends Metric['type']>(guard: Guard, metric: Metric, kinds: readonly K[]): K {
  const kind = kinds.find((each) => each === metric.type);
  if (kind === undefined)
    throw new TypeError(`${guard.name}: the ${guard.judge} judge cannot judge a ${metric.type}.`);
  return kind;
}

type Own<P> = Omit<P, 'guard' | 'shadow' | 'maxAgeMs'>;

function sequential(
  guard: GuardOf<'sequential'>,
  metric: Metric,
  step: WatchedStep | undefined,
  plan: Plan,
  pinned: PinnedRisk,
): Own<SequentialPolicy> {
  const kind = kindOf(guard, metric, ['ratio', 'latency', 'rate']);
  const { limit = null, margin = null, gate } = guard;
  const twice = margin === null ? multipleOf(kind, limit ?? 0, 2) : 2 * (1 + margin);
  return {
    judge: 'sequential',
    kind,
    limit,
    ...(metric.type === 'rate' ? { perMs: metric.per } : {}),
    ...(metric.type === 'latency' ? { overMs: metric.over } : {}),
    margin,
    baseline: margin === null ? null : baselineOf(metric),
    risk: pinned.risk * shareOf(guard, step, plan, pinned),
    horizon: horizonOf(plan, step),
    detect: guard.detect ?? twice,
    gate,
    everyone: isFull(plan, step),
  };
}

const isFull = (plan: Plan, step: WatchedStep | undefined): boolean =>
  step !== undefined && isEveryone(plan, watchedName(step));

const baselineOf = (metric: Metric): SequentialPolicy['baseline'] =>
  'baseline' in metric && metric.baseline && 'recorded' in metric.baseline
    ? 'recorded'
    : 'concurrent';

function shareOf(
  guard: GuardOf<'sequential'>,
  step: WatchedStep | undefined,
  plan: Plan,
  { shares }: PinnedRisk,
): number {
  const stage = step ? watchedName(step) : NO_STAGE;
  const share = guard.shadow ? shareOfShadow(plan, guard) : shares[shareKey(guard.name, stage)];
  if (share !== undefined) return share;
  throw new AppError<GateErrorCode>(
    'GATE_SHARE_MISSING',
    `${guard.name} has no share of the risk in stage ${stage}.`,
  );
}

function split(
  guard: GuardOf<'split'>,
  metric: Metric,
  step: WatchedStep | undefined,
  plan: Plan,
): Own<SplitPolicy> {
  const canaryShare = guard.canaryShare ?? exposedIn(plan, step);
  return {
    judge: 'split',
    kind: kindOf(guard, metric, ['ratio', 'count']),
    canaryShare,
    risk: guard.risk,
    horizon: horizonOf(plan, step),
    everyone: isFull(plan, step) || canaryShare <= 0,
  };
}

/** The part of the traffic that has the new version in a step: that of the newest stage with a percentage. */
function exposedIn(plan: Plan, step: WatchedStep | undefined): number {
  const name = step && watchedName(step);
  const watched = plan.steps.filter(isWatchedStep);
  const until = watched.findIndex((each) => watchedName(each) === name) + 1;
  const percentages = watched
    .slice(0, until)
    .flatMap((each) => ('stage' in each ? (each.percentage ?? []) : []));
  return (percentages.at(-1) ?? 0) / 100_000;
}

/** The guard that every plan has; undefined where the plan turns it off. */
export function livenessPolicy(plan: Plan): LivenessPolicy | undefined {
  if (plan.liveness === 'off') return undefined;
  const { restarts, within } = plan.liveness;
  return {
    guard: 'liveness',
    judge: 'liveness',
    shadow: false,
    maxAgeMs: maxGapMs(plan, ...Object.values(plan.metrics)),
    restarts,
    withinMs: within,
  };
}
