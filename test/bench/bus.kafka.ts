import { openKafkaBus } from '@tidegate/bus';
import { encode, type MessageDefinition, type OutgoingMessage } from '@tidegate/contracts';
import kafkajs from 'kafkajs';
import { randomUUID } from 'node:crypto';
import { openServer } from '../servers/servers.ts';

/** Publishes durably, and hands every message, parsed and checked, to `consumed`. */
interface Subject {
  publish(messages: readonly OutgoingMessage[]): Promise<void>;
  close(): Promise<void>;
}
type Open = (file: string, definition: MessageDefinition, consumed: () => void) => Promise<Subject>;

/** The bus on a broker, and kafkajs alone doing the same: same batches, parsed and checked, committed as often. */
export async function onKafka(): Promise<{
  readonly subjects: Readonly<Record<string, Open>>;
  close(): Promise<void>;
}> {
  const server = await openServer('kafka');
  const prefix = `bench${randomUUID()}.`;

  const tidegate: Open = async (_file, { topic, type }, consumed) => {
    const bus = await openKafkaBus({
      brokers: [server.url],
      clientId: 'bench',
      prefix,
      replication: 1,
      clock: { now: Date.now },
      ids: { next: randomUUID },
      random: { next: Math.random },
      source: 'bench',
    });
    await bus.subscribe({
      group: 'bench',
      topics: [topic],
      types: new Set([type]),
      handle: async () => {
        consumed();
      },
    });
    return { publish: bus.publish, close: () => bus.close() };
  };

  const bare: Open = async (_file, { topic, type, schema }, consumed) => {
    const kafka = new kafkajs.Kafka({
      brokers: [server.url],
      clientId: 'bare',
      logLevel: kafkajs.logLevel.NOTHING,
    });
    const name = `${prefix}bare.${type}`;
    const admin = kafka.admin();
    await admin.createTopics({ topics: [{ topic: name, numPartitions: 6, replicationFactor: 1 }] });
    await admin.disconnect();
    const producer = kafka.producer({
      idempotent: true,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    const consumer = kafka.consumer({ groupId: name, maxWaitTimeInMs: 500 });
    await producer.connect();
    await consumer.subscribe({ topics: [name], fromBeginning: true });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    let committedAt = Date.now();
    await consumer.run({
      // Its own commits come after each batch: those are not what the bus waits for, so it shall not either.
      autoCommit: false,
      eachBatch: async ({ batch, resolveOffset, uncommittedOffsets, commitOffsetsIfNecessary }) => {
        for (const { value } of batch.messages) {
          const checked = schema.safeParse(JSON.parse(String(value)));
          if (!checked.success) throw new Error(`A message of ${topic} is invalid.`);
          consumed();
        }
        resolveOffset(batch.lastOffset());
        if (Date.now() - committedAt < 500) return;
        committedAt = Date.now();
        await commitOffsetsIfNecessary(uncommittedOffsets());
      },
    });
    await joined;
    return {
      async publish(messages) {
        const records = messages.map(encode).map(({ key, headers, value }) => ({
          key,
          headers: { ...headers },
          value: value && Buffer.from(value),
        }));
        await producer.send({ topic: name, acks: -1, messages: records });
      },
      close: async () => {
        await consumer.disconnect();
        await producer.disconnect();
      },
    };
  };

  return { subjects: { tidegate, kafkajs: bare }, close: () => server.stop() };
}
