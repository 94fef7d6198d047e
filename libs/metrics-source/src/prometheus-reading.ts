import type { Selector } from '@tidegate/contracts';
import type { Sample, TakenReading } from './metrics-source.port.ts';
import type { Selected, TargetName } from './prometheus-query.ts';
import type { RuleHealth } from './prometheus-answer.ts';
import { seriesKey } from './series.ts';

type Labels = Readonly<Record<string, string>>;

/** What the targets that declare a metric without series say: whether each of them is up. */
export interface Declaring {
  readonly metric: string;
  readonly up: readonly Sample[];
}

/**
 * One reading of what each selector gave. Its instant is that of its newest sample: what Prometheus has not scraped
 * again is not new, and what it has not scraped for long is old.
 * @param asked the instant of the query, for a reading without any sample
 */
export function takenFrom(
  target: string,
  asked: number,
  selectors: readonly Selector[],
  selected: readonly Selected[],
  declaring: readonly Declaring[],
): TakenReading {
  const series = new Map<string, Sample>();
  for (const sample of selected.flatMap(({ samples }) => samples))
    series.set(sample.series, sample);
  const samples = [...series.values()];
  const metrics = [...new Set(selectors.map(({ metric }) => metric))];
  const isUp = new Set(
    declaring.filter(({ up }) => up.some(({ value }) => value === 1)).map(({ metric }) => metric),
  );
  const known = [...samples, ...declaring.flatMap(({ up }) => up)];
  const newest = known.reduce((latest, { at }) => Math.max(latest, at), -Infinity);
  const lacks = lackOf(target, selectors, selected, declaring);
  const down = selected.flatMap((each) => each.down);
  return {
    outcome: 'taken',
    target,
    at: known.length === 0 ? asked : newest,
    samples: metrics.flatMap((metric) => samples.filter(({ name }) => name === metric)),
    declared: metrics.filter(
      (metric) => isUp.has(metric) || samples.some(({ name }) => name === metric),
    ),
    ...(down.length === 0 ? {} : { down }),
    ...(lacks === undefined ? {} : { lacks }),
  };
}

/** The first target that should be behind the reading and cannot be scraped. */
function lackOf(
  target: string,
  selectors: readonly Selector[],
  selected: readonly Selected[],
  declaring: readonly Declaring[],
): string | undefined {
  const sentence = ({ job, instance }: TargetName, metric: string): string =>
    `${target} cannot scrape ${instance} (${job}), which had ${metric}.`;
  for (const [index, { down }] of selected.entries())
    if (down[0]) return sentence(down[0], selectors[index]?.metric ?? '');
  for (const { metric, up } of declaring) {
    const dead = up.find(({ value }) => value !== 1);
    if (dead) {
      const { job = '', instance = '' } = dead.labels;
      return sentence({ job, instance }, metric);
    }
  }
  return undefined;
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
