import type { Metric } from '@tidegate/contracts';
import type { GuardEvidence, Readings } from './evidence.ts';
import type { Watch } from './watch.ts';

/** Whether the metric's values are taken as they are read, and not counted. */
export const isRead = ({ type }: Metric): boolean =>
  type === 'value' || type === 'promql' || type === 'alert';

export function readValue(
  evidence: GuardEvidence,
  _watch: Watch,
  _readings: Readings,
): GuardEvidence {
  return evidence;
}
