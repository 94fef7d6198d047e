import type { Metric, Plan } from '@tidegate/contracts';
import { type Change, changeText } from './injection.ts';

/** What a guard of this plan must see, each once: for every metric what makes it worse, and what makes it silent. */
export function standardChanges(plan: Plan): Change[] {
  const changes = plan.guards.flatMap((guard) => {
    const metric = plan.metrics[guard.metric];
    return metric ? changesFor(guard, metric) : [];
  });
  const all: Change[] = [...changes, { kind: 'stop-scrape' }];
  const once = [...new Map(all.map((change) => [changeText(change), change])).values()];
  return once.toSorted(
    (a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || sizeOf(a) - sizeOf(b),
  );
}

const ORDER: readonly Change['kind'][] = [
  'errors-times',
  'errors-share',
  'slower',
  'events',
  'value-set',
  'alert',
  'requests-times',
  'stop-scrape',
];
const sizeOf = (change: Change): number =>
  'share' in change ? change.share : 'ms' in change ? change.ms : 0;

type Guard = Plan['guards'][number];

function changesFor(guard: Guard, metric: Metric): Change[] {
  if (guard.judge === 'split') return [{ kind: 'requests-times', times: 2 }];
  switch (metric.type) {
    case 'ratio':
      return [
        { kind: 'errors-times', times: 2 },
        { kind: 'errors-share', share: wantedSeen(guard) },
        { kind: 'errors-share', share: 0.5 },
      ];
    case 'latency':
      return [
        { kind: 'slower', ms: 100 },
        { kind: 'slower', ms: metric.over },
        { kind: 'slower', ms: 10 * metric.over },
      ];
    case 'count':
    case 'rate':
    case 'signal':
      return [{ kind: 'events', perMinute: eventsFor(guard, metric) }];
    case 'value':
    case 'promql':
      return [{ kind: 'value-set', value: beyond(guard) }];
    case 'alert':
      return [{ kind: 'alert' }];
  }
}

const allowedBy = (guard: Guard): number | undefined => {
  if (guard.judge === 'sequential') return guard.limit;
  return guard.judge === 'split' ? undefined : guard.above;
};

/** The share of bad ones that the guard is to see. */
function wantedSeen(guard: Guard): number {
  const twice = 2 * (allowedBy(guard) ?? 0.025);
  const named =
    guard.judge === 'sequential' && guard.margin === undefined ? guard.detect : undefined;
  return Math.min(1, Number(Math.max(0.001, named ?? twice).toPrecision(3)));
}

/** As many a minute that one interval between two checks has more than what is allowed. */
function eventsFor(guard: Guard, metric: Metric): number {
  const within = guard.judge === 'immediate' ? (guard.within ?? 60_000) : 60_000;
  const per = metric.type === 'rate' ? metric.per : within;
  return Math.max(120, Math.ceil(((allowedBy(guard) ?? 1) * 4 * 60_000) / per));
}

/** A value that violates the guard's threshold. */
function beyond(guard: Guard): number {
  const below = 'below' in guard ? guard.below : undefined;
  if (below !== undefined) return below > 0 ? below / 2 : below * 2 - 1;
  const above = allowedBy(guard) ?? 0;
  return above > 0 ? above * 2 : above / 2 + 1;
}
