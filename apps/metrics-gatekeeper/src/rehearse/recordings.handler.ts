import type { Plan } from '@tidegate/contracts';
import { readsOf } from '@tidegate/gates';
import { reject, type Rejection } from '@tidegate/kernel';
import { readOpenMetricsFile, readSeriesNotation } from '@tidegate/metrics-source';
import { MOST_POINTS, type Recording } from './recording.ts';
import type { RehearseData } from './rehearse-body.ts';

/** What the plan reads, as a Prometheus has it between two instants; refused where it cannot be had. */
export type ReadRange = (wanted: {
  readonly url: string | undefined;
  readonly plan: Plan;
  readonly environment: string;
  readonly from: number;
  readonly until: number;
}) => Promise<Recording | Rejection>;

/** The data of a request as a recording of what the plan reads; anything else in them is left out. */
export async function recordingFrom(
  data: RehearseData,
  plan: Plan,
  environment: string,
  readRange: ReadRange,
): Promise<Recording | Rejection> {
  if ('prometheus' in data) {
    const { url, from, until } = data.prometheus;
    return from < until
      ? readRange({ url, plan, environment, from, until })
      : reject('REHEARSAL_SPAN', 'The data end before they begin; expected until after from.');
  }
  const read =
    'openMetrics' in data
      ? readOpenMetricsFile(data.openMetrics)
      : readSeriesNotation(data.series, {
          startAt: data.startAt,
          maxPoints: MOST_POINTS,
          ...(data.interval === undefined ? {} : { intervalMs: data.interval }),
        });
  if ('rejected' in read) return read;
  const names = namesIn(plan, environment);
  if (!read.series.some(({ name }) => names.has(name)))
    return reject(
      'REHEARSAL_NO_DATA',
      `The data have no series that the plan reads; expected ${[...names].join(', ')}.`,
    );
  const series = read.series.filter(({ name }) => names.has(name) || BESIDES.has(name));
  return { series, declared: [...read.declared, ...signalsIn(plan)] };
}

/** A signal that nobody has reported is none: there is nothing missing. */
export const signalsIn = ({ metrics }: Plan): string[] =>
  Object.values(metrics).flatMap((metric) => (metric.type === 'signal' ? [metric.signal] : []));

/** Of metrics and expressions. */
function namesIn(plan: Plan, environment: string): ReadonlySet<string> {
  const reads = readsOf(plan, environment);
  return new Set(reads.flatMap(({ metrics, queries = [] }) => [...metrics, ...queries]));
}

/** What tells beside them that targets and alerts are there. */
const BESIDES: ReadonlySet<string> = new Set(['up', 'ALERTS', 'process_start_time_seconds']);
