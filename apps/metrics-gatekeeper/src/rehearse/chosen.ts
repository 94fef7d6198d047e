import type { Metric, Selector } from '@tidegate/contracts';
import { columnsOf, isSelected, type RecordedSeries } from '@tidegate/metrics-source';
import type { Recording } from './recording.ts';

/** A label that no recorded series has: what is added is a series of its own. */
export const MARK = 'tidegate_injected';

type Of<T extends Metric['type']> = Extract<Metric, { type: T }>;

/** Series of the new version, where the metric tells it from others. */
export const ofCanary = (metric: Metric, { metric: name, where }: Selector): Selector => ({
  metric: name,
  where: { ...where, ...('canary' in metric ? metric.canary?.where : {}) },
});

export const ofType = <T extends Metric['type']>(
  metrics: readonly Metric[],
  type: T,
  selector: (metric: Of<T>) => Selector,
): Selector[] =>
  metrics.flatMap((metric) =>
    metric.type === type ? [ofCanary(metric, selector(metric as Of<T>))] : [],
  );

export const isAnyOf = (series: RecordedSeries, selectors: readonly Selector[]): boolean =>
  selectors.some((selector) => isSelected(series, selector));

/** Only what was recorded by its name is added to: a name that is misspelt must not come to life. */
export const hasName = ({ series }: Recording, { metric }: Selector): boolean =>
  series.some(({ name }) => name === metric);

export const firstOf = (where: Selector['where']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(where).map(([label, value]) => [
      label,
      typeof value === 'string' ? value : (value[0] ?? ''),
    ]),
  );

export const longest = ({ series }: Recording): RecordedSeries | undefined => {
  const lengths = series.map((each) => columnsOf(each).times.length);
  return series[lengths.indexOf(Math.max(0, ...lengths))];
};
