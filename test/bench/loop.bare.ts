import { randomUUID } from 'node:crypto';
import kafkajs, { type Consumer, type Producer } from 'kafkajs';
import mongoose, { type mongo } from 'mongoose';

/** The same hops by kafkajs and mongoose alone, in one process: what these servers allow anybody, just now. */
export interface BareLoop {
  /** A document is read and written, its state published: resolves when every reader has it. */
  change(): Promise<void>;
  /** A breach is published; whoever hears it writes, and publishes a kill; whoever hears that changes a document. */
  breach(): Promise<void>;
  close(): Promise<void>;
}

interface Row extends mongo.BSON.Document {
  readonly _id: string;
  readonly token: number;
  readonly state: string;
}

const TOPICS = ['breaches', 'kills', 'state'] as const;
type Topic = (typeof TOPICS)[number];
/** As large as a flag and a rollout are. */
const STATE = JSON.stringify({ definition: 'x'.repeat(1_500) });

export async function openBareLoop(
  broker: string,
  storeUrl: string,
  readers: number,
): Promise<BareLoop> {
  const prefix = `bare${randomUUID()}.`;
  const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const topics = TOPICS.map((name) => ({ topic: prefix + name, numPartitions: 1 }));
  await admin.createTopics({ topics, waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  const connection = await mongoose
    .createConnection(storeUrl, { writeConcern: { w: 'majority', journal: true } })
    .asPromise();
  const rows = connection.collection<Row>(prefix);
  await rows.insertMany(['flag', 'rollout'].map((_id) => ({ _id, token: 0, state: STATE })));

  const told = new Map<string, { left: number; resolve(): void }>();
  const open = (topic: Topic, handle: (id: string) => unknown): Promise<Consumer> =>
    consume(kafka, prefix + topic, handle);
  const consumers = await Promise.all([
    open('breaches', async (id) => {
      await changeRow(rows, 'rollout');
      await send(producer, `${prefix}kills`, id);
    }),
    open('kills', async (id) => {
      await changeRow(rows, 'flag');
      await send(producer, `${prefix}state`, id);
    }),
    ...Array.from({ length: readers }, () =>
      open('state', (id) => {
        const waiting = told.get(id);
        if (!waiting) return;
        waiting.left -= 1;
        if (waiting.left === 0) waiting.resolve();
      }),
    ),
  ]);
  const everywhere = async (begin: (id: string) => Promise<void>): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const id = randomUUID();
    told.set(id, { left: readers, resolve });
    await begin(id);
    await promise;
    told.delete(id);
  };
  return {
    change: () =>
      everywhere(async (id) => {
        await changeRow(rows, 'flag');
        await send(producer, `${prefix}state`, id);
      }),
    breach: () =>
      everywhere(async (id) => {
        await rows.findOne({ _id: 'rollout' });
        await send(producer, `${prefix}breaches`, id);
      }),
    close: async () => {
      await Promise.all(consumers.map((consumer) => consumer.disconnect()));
      await producer.disconnect();
      await connection.close();
    },
  };
}

async function changeRow(rows: mongo.Collection<Row>, _id: string): Promise<void> {
  const { token = 0 } = (await rows.findOne({ _id })) ?? {};
  await rows.updateOne({ _id, token }, { $set: { token: token + 1, state: STATE } });
}

const send = async (producer: Producer, topic: string, id: string): Promise<void> => {
  await producer.send({ topic, acks: -1, messages: [{ key: id, value: STATE }] });
};

async function consume(
  kafka: kafkajs.Kafka,
  topic: string,
  handle: (id: string) => unknown,
): Promise<Consumer> {
  const consumer = kafka.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 500 });
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message: { key } }) => {
      await handle(String(key));
    },
  });
  await joined;
  return consumer;
}
