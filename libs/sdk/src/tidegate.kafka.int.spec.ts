import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Bus, openKafkaBus } from '@tidegate/bus';
import { FlagState, SdkAlive, stateTopic } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { eventually } from '@tidegate/kernel/testing';
import kafkajs from 'kafkajs';
import { openServerIfAny, type Server } from '../../../test/servers/servers.ts';
import { createKafkaTidegate } from './tidegate.kafka.ts';
import type { Tidegate } from './tidegate.port.ts';

jest.setTimeout(120_000);

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
  const errors: unknown[] = [];
  const reasonNow = () => client.details('checkout-v2', false).reason;
  const versionNow = () => client.details('checkout-v2', false).flagMetadata?.['version'];
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
      instance: 'checkout-1',
      heartbeatEveryMs: 200,
      staleAfterMs: 3_000,
      onError: (error) => errors.push(error),
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
    await eventually(() => versionNow() === 4, 15_000);
    expect(isOn()).toBe(false);
  });

  it('are told to the heartbeats, with what this instance has applied', async () => {
    const alive: SdkAlive['data'][] = [];
    const running = await bus.subscribe({
      group: 'spec',
      topics: [SdkAlive.topic],
      types: new Set([SdkAlive.type]),
      handle: async ({ message }) => void alive.push((message as SdkAlive).data),
    });
    const ofThis = { environment: 'production', application: 'checkout', instance: 'checkout-1' };
    await eventually(() => alive.filter(({ instance }) => instance === 'checkout-1').length > 3);
    expect(alive.at(-1)).toMatchObject(ofThis);
    await running.stop();
  });

  it('are STALE while Kafka is away, and current again by themselves, never older than before', async () => {
    const versions: unknown[] = [];
    const stop = client.onChange('checkout-v2', ({ after }) => void versions.push(after?.version));
    await server?.kill();
    await eventually(() => client.status.state === 'stale', 15_000);
    expect(reasonNow()).toBe('STALE');
    expect(versionNow()).toBe(4);
    expect(isOn()).toBe(false);
    expect(client.status.ageMs).toBeGreaterThan(3_000);
    await eventually(() => errors.length > 0, 15_000);
    for (const error of errors) expect(error).toMatchObject({ code: 'SDK_BUS_FAILED' });

    await server?.restart();
    await eventually(() => client.status.state === 'ready', 30_000);
    expect(reasonNow()).not.toBe('STALE');
    await eventually(
      () => bus.publish([state(3, 100_000), state(5, 100_000)]).then(() => true),
      20_000,
    );
    await eventually(() => versionNow() === 5, 20_000);
    expect(isOn()).toBe(true);
    expect(versions).toEqual([5]);
    stop();
  });

  it('follow a state topic that was deleted and made anew, without going back', async () => {
    const admin = new kafkajs.Kafka({ brokers: [server?.url ?? ''] }).admin();
    await admin.connect();
    const topic = `tidegate.${stateTopic('production')}`;
    await admin.deleteTopics({ topics: [topic] });
    await eventually(async () => !(await admin.listTopics()).includes(topic), 20_000);
    await admin.createTopics({
      topics: [
        { topic, numPartitions: 1, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
      ],
    });
    await admin.disconnect();
    // What flag-service does: it gives a topic what that lacks, whatever it had been given before.
    let version = 6;
    await eventually(async () => {
      await bus.publish([state(2, 0), state(version, 0)]).catch(() => undefined);
      version += 1;
      return Number(versionNow()) >= 6;
    }, 60_000);
    expect(isOn()).toBe(false);
    await eventually(() => client.status.state === 'ready', 20_000);
    const last = version;
    await bus.publish([state(last, 100_000)]);
    await eventually(() => versionNow() === last, 20_000);
    expect(isOn()).toBe(true);
  });
});

it.each([
  [{ url: 'http://127.0.0.1' }, 'url'],
  [{ environment: 'Pro duction' }, 'environment'],
  [{ application: 'x'.repeat(201) }, 'application must have at most 200 characters'],
  [{ heartbeatEveryMs: Number.NaN }, 'heartbeatEveryMs'],
  [{ staleAfterMs: 0 }, 'staleAfterMs'],
])('is refused for %j', async (wrong, field) => {
  const options = { url: 'kafka://127.0.0.1:9092', environment: 'production', ...wrong };
  await expect(createKafkaTidegate(options)).rejects.toMatchObject({
    code: 'SDK_OPTIONS_INVALID',
    message: expect.stringContaining(field),
  });
});
