import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Bus, openKafkaBus } from '@tidegate/bus';
import { FlagState, stateTopic } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { eventually } from '@tidegate/kernel/testing';
import { openServerIfAny, type Server } from '../../../test/servers/servers.ts';
import { createKafkaTidegate } from './tidegate.kafka.ts';
import type { Tidegate } from './tidegate.port.ts';

jest.setTimeout(90_000);

const server: Server | undefined = await openServerIfAny('kafka', { own: true });
const onKafka = server ? describe : describe.skip;

const state = (version: number, percentage: number) => ({
  ...exampleOf(
    FlagState,
    {
      flag: {
        definition: {
          type: 'boolean',
          variants: { on: true, off: false },
          defaultVariant: 'off',
          offVariant: 'off',
          exposure: { variant: 'on', percentage },
        },
        salt: 'c2FsdA',
      },
    },
    { id: randomUUID(), revision: { epoch: 1, version } },
  ),
  topic: stateTopic('production'),
});

onKafka('flags from Kafka', () => {
  let bus: Bus;
  let client: Tidegate;
  const isOn = () => client.boolean('checkout-v2', false, { targetingKey: 'ada' });

  beforeAll(async () => {
    bus = await openKafkaBus({
      brokers: [server?.url ?? ''],
      replication: 1,
      clientId: 'spec',
      clock: { now: Date.now },
      ids: { next: randomUUID },
      random: { next: Math.random },
      source: 'spec',
    });
    await bus.publish([state(1, 100_000)]);
    client = await createKafkaTidegate({
      url: `kafka://${server?.url}?replication=1`,
      environment: 'production',
      application: 'checkout',
    });
  });
  afterAll(async () => {
    await client.close();
    await bus.close();
    await server?.stop();
  });

  it('are there once the topic is read, and follow it', async () => {
    await client.ready(30_000);
    expect(isOn()).toBe(true);
    await bus.publish([state(2, 0)]);
    await eventually(() => !isOn(), 15_000);
  });

  it('never go back to an older state that is published late', async () => {
    await bus.publish([state(1, 100_000), state(3, 50_000), state(4, 0)]);
    await eventually(
      () => client.details('checkout-v2', false).flagMetadata?.['version'] === 4,
      15_000,
    );
    expect(isOn()).toBe(false);
  });
});

it.each([
  [{ url: 'http://127.0.0.1', environment: 'production' }, 'url'],
  [{ url: 'kafka://127.0.0.1:9092', environment: 'Pro duction' }, 'environment'],
])('is refused for %j', async (options, field) => {
  await expect(createKafkaTidegate(options)).rejects.toMatchObject({
    code: 'SDK_OPTIONS_INVALID',
    message: expect.stringContaining(field),
  });
});
