import kafkajs, {
  type Admin,
  type ITopicMetadata,
  type TopicPartitionOffsetAndMetadata,
} from 'kafkajs';

const PREFIX = 'tidegate.';
const VIEWS = `${PREFIX}view.`;

export interface Behind {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
}

/** What stands in the broker, asked beside Tidegate. Names are without its prefix. */
export interface Broker {
  groups(): Promise<readonly string[]>;
  /** Partitions of which a group has not committed all there is. */
  behind(): Promise<readonly Behind[]>;
  /** How many records were ever written, by topic. */
  ends(): Promise<Readonly<Record<string, number>>>;
  /**
   * The group, in which nobody may be, will be given everything again.
   * @param how `uncommitted`: as if its commits had been lost · `reset`: as the tools of Kafka do it, which drop what a
   * group keeps beside its offsets
   */
  rewind(group: string, how: 'uncommitted' | 'reset'): Promise<void>;
  /** Everything in the topic, oldest first; one that has one partition. */
  read(topic: string): Promise<readonly { readonly key: string; readonly version: number }[]>;
}

export function brokerAt(url: string): Broker {
  const kafka = new kafkajs.Kafka({
    brokers: [url],
    clientId: 'fault-tests',
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const asking = async <T>(ask: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = kafka.admin();
    await admin.connect();
    try {
      return await ask(admin);
    } finally {
      await admin.disconnect();
    }
  };
  return {
    groups: () => asking(groupsOf),
    behind: () => asking(behind),
    ends: () => asking(ends),
    rewind: async (group, how) => {
      const groupId = PREFIX + group;
      const committed = await asking((admin) => admin.fetchOffsets({ groupId }));
      await commit(
        kafka,
        groupId,
        committed.flatMap(({ topic, partitions }) =>
          partitions.map(({ partition, metadata }) => ({
            topic,
            partition,
            offset: '0',
            metadata: how === 'reset' ? null : metadata,
          })),
        ),
      );
    },
    read: async (topic) => {
      const end = (await asking(ends))[topic] ?? 0;
      return end === 0 ? [] : readTo(kafka, PREFIX + topic, end);
    },
  };
}

async function groupsOf(admin: Admin): Promise<readonly string[]> {
  const { groups } = await admin.listGroups();
  return groups
    .map(({ groupId }) => groupId)
    .filter((id) => id.startsWith(PREFIX) && !id.startsWith(VIEWS))
    .map((id) => id.slice(PREFIX.length));
}

async function behind(admin: Admin): Promise<readonly Behind[]> {
  const found: Behind[] = [];
  const highs = new Map<string, Map<number, number>>();
  for (const group of await groupsOf(admin))
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId: PREFIX + group })) {
      const high = highs.get(topic) ?? (await highsOf(admin, topic));
      highs.set(topic, high);
      for (const { partition, offset } of partitions) {
        const records = (high.get(partition) ?? 0) - Math.max(0, Number(offset));
        if (records > 0) found.push({ group, topic, partition, records });
      }
    }
  return found;
}

const highsOf = async (admin: Admin, topic: string): Promise<Map<number, number>> =>
  new Map(
    (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]),
  );

async function ends(admin: Admin): Promise<Readonly<Record<string, number>>> {
  const { topics }: { topics: ITopicMetadata[] } = await admin.fetchTopicMetadata();
  const found: Record<string, number> = {};
  for (const { name } of topics.filter((each) => each.name.startsWith(PREFIX))) {
    const highs = [...(await highsOf(admin, name)).values()];
    found[name.slice(PREFIX.length)] = highs.reduce((sum, high) => sum + high, 0);
  }
  return found;
}

/** As a member of the group for a moment, which takes nothing. */
async function commit(
  kafka: kafkajs.Kafka,
  groupId: string,
  offsets: readonly TopicPartitionOffsetAndMetadata[],
): Promise<void> {
  const consumer = kafka.consumer({ groupId });
  const { promise: joined, resolve } = Promise.withResolvers<void>();
  consumer.on('consumer.group_join', () => {
    resolve();
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...new Set(offsets.map(({ topic }) => topic))] });
  await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
  await joined;
  await consumer.commitOffsets([...offsets]);
  await consumer.disconnect();
}

async function readTo(kafka: kafkajs.Kafka, topic: string, end: number) {
  const consumer = kafka.consumer({ groupId: `fault-tests.${crypto.randomUUID()}` });
  const found: { key: string; version: number }[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const version = Number(message.headers?.['ce_version']?.toString());
      found.push({ key: message.key?.toString() ?? '', version });
      if (Number(message.offset) >= end - 1) resolve();
    },
  });
  await done;
  await consumer.disconnect();
  return found;
}
