import type { TopicDefinition } from '@tidegate/contracts';
import { MAX_MESSAGE_BYTES } from './bus.port.ts';

/** A topic as a cluster keeps it. */
export interface TopicSettings {
  readonly partitions: number;
  readonly replication: number;
  readonly entries: Readonly<Record<string, string>>;
}

/** A letter carries a whole message in base64, and a batch has a header of its own. */
const MAX_BATCH_BYTES = Math.ceil((MAX_MESSAGE_BYTES * 4) / 3) + 65_536;

export const settingsOf = (
  { partitions, cleanup, retentionMs }: TopicDefinition,
  replication: number,
): TopicSettings => ({
  partitions,
  replication,
  entries: {
    'cleanup.policy': cleanup,
    ...(cleanup === 'delete' ? { 'retention.ms': String(retentionMs ?? -1) } : {}),
    'min.insync.replicas': String(Math.max(1, Math.min(2, replication - 1))),
    'max.message.bytes': String(MAX_BATCH_BYTES),
    // The age of a record, and so the lag, does not depend on its writer's clock.
    'message.timestamp.type': 'LogAppendTime',
    // Whatever other programs compress with, of which kafkajs reads gzip only.
    'compression.type': 'uncompressed',
  },
});

/** `retention.ms is 1000, not 604800000`, in one line; undefined where there is no difference. */
export function differenceOf(found: TopicSettings, wanted: TopicSettings): string | undefined {
  const pairs: readonly (readonly [string, number | string | undefined, number | string])[] = [
    ['partitions', found.partitions, wanted.partitions],
    ['replication', found.replication, wanted.replication],
    ...Object.entries(wanted.entries).map(
      ([name, value]) => [name, found.entries[name], value] as const,
    ),
  ];
  const differing = pairs.flatMap(([name, is, should]) =>
    is === undefined || is === should ? [] : [`${name} is ${is}, not ${should}`],
  );
  return differing.length === 0 ? undefined : differing.join('; ');
}
