import type { Metric, Selector } from '@tidegate/contracts';
import { leSpellings, type TakenReading } from '@tidegate/metrics-source';

/** The series that a metric is made of. `allEdges`: not only those of the edge that it looks at. */
export function selectorsOf(metric: Metric, allEdges: boolean): readonly Selector[] {
  switch (metric.type) {
    case 'ratio':
      return [metric.bad, metric.total];
    case 'latency': {
      const { where } = metric.histogram;
      const le = [...leSpellings(writtenEdge(metric)), ...leSpellings(Infinity)];
      const selector = { metric: bucketsNamed(metric.histogram.metric), where };
      return [allEdges ? selector : { ...selector, where: { ...where, le } }];
    }
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

export const bucketsNamed = (histogram: string): string => `${histogram}_bucket`;

/** The edge of the bucket that is looked at, as the histogram writes it. */
export const writtenEdge = ({ over, unit }: Extract<Metric, { type: 'latency' }>): number =>
  unit === 's' ? over / 1_000 : over;

/** What belongs into the metric's series and is not in the reading: what others lack is in nobody's way. */
export function lacksOf(
  metrics: readonly Metric[],
  { lacks, lacking }: TakenReading,
): string | undefined {
  if (lacking === undefined) return lacks;
  return metrics.flatMap((metric) => firstOf(metric, lacking) ?? [])[0];
}

/** Why the metric's series could not be read, where others could. */
export const unreadOf = (metric: Metric, { unread = [] }: TakenReading): string | undefined =>
  firstOf(metric, unread);

function firstOf(
  metric: Metric,
  all: readonly { readonly selector: Selector; readonly message: string }[],
): string | undefined {
  if (all.length === 0) return undefined;
  const own = [false, true].flatMap((allEdges) => selectorsOf(metric, allEdges));
  const keys = new Set(own.map((each) => JSON.stringify(each)));
  return all.find(({ selector }) => keys.has(JSON.stringify(selector)))?.message;
}
