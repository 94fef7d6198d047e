import { asFields, type Fields } from './plan-values.ts';

/** Which metrics a judge can judge. */
export const METRICS_FOR: Readonly<Record<string, readonly string[]>> = {
  sequential: ['ratio', 'latency', 'rate'],
  sustained: ['ratio', 'latency', 'rate', 'value', 'promql'],
  immediate: ['count', 'rate', 'signal', 'value', 'promql', 'alert'],
  split: ['ratio', 'count'],
};
export const METRIC_TYPES: ReadonlySet<unknown> = new Set(Object.values(METRICS_FOR).flat());

/** A guard of a plan that may be malformed, beside what it is about. */
export interface About {
  readonly guard: Fields;
  readonly metric: Fields;
  readonly type: unknown;
  readonly plan: Fields;
}
/** Problems by the field of the guard that they are of; "" for the guard as a whole. */
export type Rule = (about: About) => readonly (readonly [field: string, message: string])[];

export const isGiven = (value: unknown): boolean => value !== undefined && value !== null;
export const isRecorded = ({ metric }: About): boolean =>
  'recorded' in asFields(metric['baseline']);
