import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryBus, type MemoryBus } from '@tidegate/bus/testing';
import { FlagState, PutFlag, SdkAlive, SegmentState, stateTopic } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { eventually, manualClock, sequentialIds } from '@tidegate/kernel/testing';
import { TidegateClient } from './client.loop.ts';
import { BusFlagSource } from './flag-source.bus.ts';

const open: TidegateClient[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});

const clientOn = (bus: MemoryBus, staleAfterMs = 30_000) => {
  const errors: string[] = [];
  const client = new TidegateClient(
    staleAfterMs,
    ({ code }) => errors.push(code),
    (sink) =>
      new BusFlagSource(
        {
          bus,
          environment: 'production',
          application: 'checkout',
          instance: 'checkout-1',
          heartbeatEveryMs: 20,
          newId: sequentialIds('sdk').next,
          now: Date.now,
        },
        sink,
      ),
  );
  open.push(client);
  return { client, errors };
};
const newBus = () => memoryBus({ clock: manualClock(), ids: sequentialIds() });
const state = (
  version: number,
  percentage: number,
  extra: object = {},
  definition: object = {},
) => ({
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
          ...definition,
        },
        salt: 'c2FsdA',
        ...extra,
      },
    },
    { id: `state-${version}`, revision: { epoch: 1, version } },
  ),
  topic: stateTopic('production'),
});
const isOn = (client: TidegateClient) =>
  client.boolean('checkout-v2', false, { targetingKey: 'ada' });

describe('flags over the bus', () => {
  it('are ready once all that stood in the topic is read, and then follow it', async () => {
    const bus = newBus();
    await bus.publish([state(1, 100_000)]);
    const { client } = clientOn(bus);
    await client.ready();
    expect(isOn(client)).toBe(true);
    await bus.publish([state(2, 0)]);
    await eventually(() => !isOn(client));
  });

  it('come with the segments that they refer to, and with messages that nobody here knows', async () => {
    const bus = newBus();
    const definition = {
      ...state(1, 0).data.flag?.definition,
      rules: [{ when: { segment: 'beta-users' }, variant: 'on' }],
    };
    const segment = (version: number, members: string[]) => ({
      ...exampleOf(
        SegmentState,
        { key: 'beta-users', segment: { definition: { members } } },
        { id: `segment-${version}`, revision: { epoch: 1, version } },
      ),
      topic: stateTopic('production'),
    });
    const held = exampleOf(PutFlag);
    await bus.publish([segment(1, []), { ...state(1, 0, {}, definition) }]);
    const { client, errors } = clientOn(bus);
    await client.ready();
    expect(isOn(client)).toBe(false);
    await bus.publish([{ ...held, topic: stateTopic('production') }, segment(2, ['ada'])]);
    await eventually(() => isOn(client));
    await bus.publish([segment(1, [])]);
    await bus.idle();
    expect(isOn(client)).toBe(true);
    expect(errors).toEqual([]);
  });

  it('never go back when an older state is published late', async () => {
    const bus = newBus();
    await bus.publish([state(5, 0)]);
    const { client } = clientOn(bus);
    await client.ready();
    await bus.publish([state(4, 100_000), state(6, 0)]);
    await bus.idle();
    expect(isOn(client)).toBe(false);
  });

  it('tell what this instance has applied of a flag that a rollout holds', async () => {
    const bus = newBus();
    const hold = { rollout: { id: 'r-1', generation: 1 }, since: 1 };
    await bus.publish([state(3, 10_000, { hold })]);
    const { client } = clientOn(bus);
    await client.ready();
    await eventually(() => bus.records(SdkAlive.topic).length > 0);
    const [first] = bus.records(SdkAlive.topic);
    const told = JSON.parse(Buffer.from(first?.record.value ?? []).toString()) as object;
    expect(told).toMatchObject({
      environment: 'production',
      instance: 'checkout-1',
      applied: { 'checkout-v2': { epoch: 1, version: 3 } },
    });
  });

  it('come once the bus is there, though it was away at first', async () => {
    const bus = newBus();
    await bus.publish([state(1, 100_000)]);
    const view = bus.view.bind(bus);
    let tries = 0;
    bus.view = (source) => {
      tries += 1;
      return tries < 3 ? Promise.reject(new Error('away')) : view(source);
    };
    const { client, errors } = clientOn(bus);
    await client.ready();
    expect(isOn(client)).toBe(true);
    expect(errors).toContain('SDK_BUS_FAILED');
  });

  it('are STALE while the bus is away, and current again when it is back', async () => {
    const bus = newBus();
    await bus.publish([state(1, 100_000)]);
    const publish = bus.publish.bind(bus);
    let isAway = false;
    const away = () => Promise.reject(new Error('away'));
    Object.assign(bus, {
      publish: (messages: Parameters<typeof publish>[0]) => (isAway ? away() : publish(messages)),
    });
    const { client } = clientOn(bus, 60);
    await client.ready();
    isAway = true;
    await eventually(() => client.status.state === 'stale');
    isAway = false;
    await eventually(() => client.status.state === 'ready');
    expect(isOn(client)).toBe(true);
  });

  it('are STALE while the bus takes heartbeats, but nothing is read', async () => {
    const bus = newBus();
    const view = bus.view.bind(bus);
    let isReading = true;
    bus.view = async (source) => {
      const { caughtUp, close } = await view(source);
      return {
        caughtUp,
        close,
        get isReading() {
          return isReading;
        },
      };
    };
    const { client } = clientOn(bus, 60);
    await client.ready();
    isReading = false;
    await eventually(() => client.status.state === 'stale');
    isReading = true;
    await eventually(() => client.status.state === 'ready');
  });
});
