import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import kafkajs from 'kafkajs';
import { randomUUID } from 'node:crypto';
import { openServerIfAny, type Server } from '../../../test/servers/servers.ts';
import { busContract, type BusUnderTest } from './bus.contract.ts';
import { KafkaBus } from './bus.kafka.ts';
import type { DeliveryPolicy } from './delivery-policy.ts';
import { partitionOf } from './partition-of.ts';
import { definitionOfTopic } from './topic.ts';

jest.setTimeout(30_000);
const server = await openServerIfAny('kafka', { own: true });

(server ? describe : describe.skip)('the bus on Kafka', () => {
  const kafka = new kafkajs.Kafka({
    brokers: [server?.url ?? ''],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = kafka.producer({
    createPartitioner:
      () =>
      ({ partitionMetadata, message: { key } }) =>
        partitionOf(
          key === undefined || key === null ? null : String(key),
          partitionMetadata.length,
        ),
  });

  beforeAll(() => producer.connect());
  afterAll(async () => {
    await producer.disconnect();
    await server?.stop();
  });

  const open = async (prefix: string, policy: Partial<DeliveryPolicy>): Promise<BusUnderTest> => {
    const bus = new KafkaBus({
      brokers: [(server as Server).url],
      clientId: 'spec',
      prefix,
      replication: 1,
      clock: { now: Date.now },
      ids: { next: randomUUID },
      source: 'bus',
      random: { next: Math.random },
      policy,
      budgets: { fetch: 100 },
    });
    return {
      bus,
      inject: async (topic, records) => {
        if (!definitionOfTopic(topic)) throw new RangeError(topic);
        await bus.ensure([topic]);
        await producer.send({
          topic: prefix + topic,
          messages: records.map(({ key, headers, value }) => ({
            key,
            headers: { ...headers },
            value: value && Buffer.from(value),
          })),
        });
      },
      kill: async () => {
        await bus.abandon();
        return open(prefix, policy);
      },
      reopen: () => open(prefix, policy),
    };
  };

  busContract((policy) => open(`t${randomUUID()}.`, policy));
});
