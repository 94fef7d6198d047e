import type { PartitionLag } from '@tidegate/bus';
import type { Metrics } from '../metrics/metrics.ts';
import { ownsGroup } from './dead-letter-body.ts';

/** Sets the gauges of this service's groups to what the bus says now. */
export function measureLag(service: string, lag: readonly PartitionLag[], metrics: Metrics): void {
  metrics.lagRecords.reset();
  metrics.lagSeconds.reset();
  for (const { group, topic, partition, records, ageMs, lastProgressAt } of lag) {
    if (!ownsGroup(service, group)) continue;
    const labels = { group, topic, partition };
    metrics.lagRecords.set(labels, records);
    metrics.lagSeconds.set(labels, ageMs / 1_000);
    if (lastProgressAt !== undefined) metrics.progressAt.set(labels, lastProgressAt / 1_000);
    if (records === 0) metrics.stuck.set({ group, topic }, 0);
  }
}
