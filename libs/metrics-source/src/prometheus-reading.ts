import type { Selector } from '@tidegate/contracts';
import type { Sample, TakenReading, UnreadSelector } from './metrics-source.port.ts';
import type { Selected } from './prometheus-query.ts';
import type { RuleHealth } from './prometheus-answer.ts';
import { seriesKey } from './series.ts';

type Labels = Readonly<Record<string, string>>;

/** What Prometheus gave of one selector. */
export interface Found extends Selected {
  readonly selector: Selector;
  /** `up` of the targets that declare the metric, where it has no series. */
  readonly declaring?: readonly Sample[];
}

/**
 * One reading of what each selector gave. Its instant is that of its newest sample: what Prometheus has not scraped
 * again is not new, and what it has not scraped for long is old.
 * @param asked the instant of the query, for a reading without any sample
 * @param unread the selectors that it could not answer
 */
export function takenFrom(
  target: string,
  asked: number,
  found: readonly Found[],
  unread: readonly UnreadSelector[],
): TakenReading {
  const series = new Map<string, Sample>();
  for (const sample of found.flatMap((each) => each.samples)) series.set(sample.series, sample);
  const samples = [...series.values()];
  const metrics = [...new Set(found.map(({ selector }) => selector.metric))];
  const isUp = new Set(
    found
      .filter(({ declaring = [] }) => declaring.some(({ value }) => value === 1))
      .map(({ selector }) => selector.metric),
  );
  const known = [...samples, ...found.flatMap(({ declaring = [] }) => declaring)];
  const newest = known.reduce((latest, { at }) => Math.max(latest, at), -Infinity);
  const lacking = found.flatMap((each) => lackOf(target, each) ?? []);
  const down = found.flatMap((each) => each.down);
  return {
    outcome: 'taken',
    target,
    at: known.length === 0 ? asked : newest,
    samples: metrics.flatMap((metric) => samples.filter(({ name }) => name === metric)),
    declared: metrics.filter(
      (metric) => isUp.has(metric) || samples.some(({ name }) => name === metric),
    ),
    ...(down.length === 0 ? {} : { down }),
    ...(lacking[0] ? { lacks: lacking[0].message, lacking } : {}),
    ...(unread.length === 0 ? {} : { unread }),
  };
}

/** The first target that should be behind the selector and cannot be scraped. */
function lackOf(target: string, { selector, down, declaring = [] }: Found) {
  const dead = declaring.find(({ value }) => value !== 1);
  const away = down[0] ?? (dead && { job: '', instance: '', ...dead.labels });
  if (away === undefined) return undefined;
  const message = `${target} cannot scrape ${away.instance} (${away.job}), which had ${selector.metric}.`;
  return { selector, message };
}

/** Names under which Prometheus may know the type of a metric: its own, or without the suffix of its type. */
export const familiesOf = (metric: string): readonly string[] => [
  ...new Set([metric, metric.replace(/_(?:total|bucket|sum|count|created)$/, '')]),
];

/** Whether series of this target could have these labels: its own labels say nothing else. */
export const mayHave = (labels: Labels, { where }: Selector): boolean =>
  Object.entries(where).every(([label, wanted]) => {
    const value = Object.hasOwn(labels, label) ? labels[label] : undefined;
    return (
      value === undefined ||
      (typeof wanted === 'string' ? wanted === value : wanted.includes(value))
    );
  });

/** Selects `up` of these targets. */
export const upOf = (targets: readonly Labels[]): Selector => ({
  metric: 'up',
  where: {
    job: [...new Set(targets.map(({ job = '' }) => job))].sort(),
    instance: [...new Set(targets.map(({ instance = '' }) => instance))].sort(),
  },
});

/** Of what `upOf` gave, the targets themselves: other pairs of job and instance are none of them. */
export function ofTargets(up: readonly Sample[], targets: readonly Labels[]): readonly Sample[] {
  const key = ({ job = '', instance = '' }: Labels): string => seriesKey('up', { job, instance });
  const keys = new Set(targets.map(key));
  return up.filter(({ labels }) => keys.has(key(labels)));
}

/** Of the rules that are wanted, those that are evaluated, and why others are not. */
export function rulesAmong(
  wanted: readonly string[],
  health: RuleHealth,
): Pick<TakenReading, 'rules' | 'ruleFailures'> {
  const ill = wanted.flatMap((rule): [string, string][] => {
    const why = health.get(rule);
    return typeof why === 'string' ? [[rule, `The rule ${rule} is not evaluated: ${why}.`]] : [];
  });
  return {
    rules: wanted.filter((rule) => health.get(rule) === null),
    ...(ill.length > 0 ? { ruleFailures: Object.fromEntries(ill) } : {}),
  };
}
