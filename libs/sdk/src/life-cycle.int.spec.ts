import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { FakeFlagService, OPEN, state } from '../../../test/servers/fake-flag-service.ts';
import type { TidegateOptions } from './options.ts';
import type { Tidegate } from './tidegate.port.ts';
import { createTidegate } from './tidegate.sse.ts';

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function service(port?: number): Promise<FakeFlagService> {
  const started = await FakeFlagService.start(port);
  cleanUps.push(() => started.stop());
  started.view.apply(state(1, OPEN));
  return started;
}

function connect(url: string, options: Partial<TidegateOptions> = {}) {
  const states: string[] = [];
  const client = createTidegate({
    url,
    environment: 'production',
    key: 'sdk-key',
    firstRetryMs: 5,
    longestRetryMs: 20,
    ...options,
  });
  cleanUps.push(() => client.close());
  client.onStatus((status) => {
    // The status is in place before anyone is told of it.
    expect(client.status.state).toBe(status.state);
    states.push(status.state);
  });
  return { client, states };
}
const details = (client: Tidegate) => client.details('checkout-v2', false);

describe('a client that is cut off for long', () => {
  it('is ready, stale, not ready and ready again, and answers all the time', async () => {
    const server = await service();
    const { client, states } = connect(server.url, { staleAfterMs: 500, notReadyAfterMs: 1_000 });
    await client.ready();
    const { onStream } = server;
    server.onStream = (stream) => {
      stream.destroy();
    };
    server.last.destroy();
    await eventually(() => client.status.state === 'error');
    expect(details(client)).toMatchObject({ value: true, reason: 'STALE' });
    expect(client.status.ageMs).toBeGreaterThanOrEqual(1_000);
    expect(client.status.lastError?.code).toBe('SDK_UNREACHABLE');
    server.onStream = onStream;
    await eventually(() => client.status.state === 'ready');
    expect(details(client)).toMatchObject({ value: true, reason: 'STATIC' });
    expect(states).toEqual(['ready', 'stale', 'error', 'ready']);
    expect(client.status).toMatchObject({ lastError: undefined });
  });

  it('has everything that happened meanwhile, also deletions and new flags, in one go', async () => {
    const server = await service();
    const { client } = connect(server.url);
    server.view.apply(state(1, OPEN, { key: 'express-pay' }));
    await client.ready();
    const { port } = server;
    await server.stop();
    await eventually(() => client.status.lastError?.code === 'SDK_UNREACHABLE');
    const again = await service(port);
    for (let version = 2; version < 500; version += 1) again.view.apply(state(version, OPEN));
    again.view.apply({ key: 'express-pay', epoch: 1, version: 2, flag: null });
    again.view.apply(state(1, OPEN, { key: 'wishlist' }));
    const seen: unknown[] = [];
    client.onChange('*', ({ key, after }) => {
      seen.push([key, after.version]);
    });
    await eventually(() => client.boolean('wishlist', false));
    expect(seen).toEqual(
      expect.arrayContaining([
        ['checkout-v2', 499],
        ['express-pay', 2],
        ['wishlist', 1],
      ]),
    );
    expect(seen).toHaveLength(3);
    expect(client.details('express-pay', true).errorCode).toBe('FLAG_NOT_FOUND');
  });

  it('knows the age of its data, however the clock of the machine is set', async () => {
    const server = await service();
    const { client, states } = connect(server.url, { staleAfterMs: 10_000 });
    await client.ready();
    const { now } = Date;
    cleanUps.push(() => {
      Date.now = now;
    });
    for (const moved of [86_400_000, -86_400_000]) {
      Date.now = () => now() + moved;
      server.last.send('heartbeat', { at: 0 });
      expect(client.status.ageMs).toBeGreaterThanOrEqual(0);
      expect(client.status.ageMs).toBeLessThan(10_000);
    }
    expect(states).toEqual(['ready']);
  });
});

describe('a client that goes from one server to another', () => {
  it('never goes back, though the next one is behind', async () => {
    const [ahead, behind] = [await service(), await service()];
    ahead.view.apply(state(9, 0));
    behind.view.apply(state(1, OPEN, { key: 'marker' }));
    const { port } = ahead;
    const { client } = connect(ahead.url);
    await client.ready();
    const seen: boolean[] = [];
    client.onChange('checkout-v2', () => {
      seen.push(client.boolean('checkout-v2', false));
    });
    await ahead.stop();
    const moved = await FakeFlagService.start(port);
    cleanUps.push(() => moved.stop());
    for (const record of behind.view.snapshot().flags) moved.view.apply(record);
    await eventually(() => client.boolean('marker', false));
    expect(details(client)).toMatchObject({ value: false, flagMetadata: { version: 9 } });
    moved.change(state(8, OPEN));
    moved.change(state(10, OPEN));
    await eventually(() => client.boolean('checkout-v2', false));
    expect(seen).toEqual([true]);
  });

  it('takes what a restored store has, once its epoch is raised', async () => {
    const server = await service();
    server.view.apply(state(50, OPEN));
    const { client } = connect(server.url);
    await client.ready();
    server.last.send('snapshot', { digest: 'd', flags: [state(3, 0)] });
    server.last.send('flag', state(4, 0, { epoch: 2 }));
    await eventually(() => !client.boolean('checkout-v2', true));
    expect(details(client).flagMetadata).toMatchObject({ epoch: 2, version: 4 });
  });
});

describe('a client that is refused', () => {
  it.each([401, 403, 404])(
    'with %i is not ready, says why, and recovers once it is let in',
    async (status) => {
      const server = await service();
      const { onStream } = server;
      server.onStream = (stream) => {
        stream.refuse(status);
      };
      const { client, states } = connect(server.url);
      await eventually(() => client.status.state === 'error');
      expect(client.status.lastError).toMatchObject({ code: 'SDK_REFUSED' });
      expect(details(client)).toMatchObject({
        value: false,
        errorCode: 'PROVIDER_NOT_READY',
        errorMessage: expect.stringContaining(`(${status})`),
      });
      server.onStream = onStream;
      await eventually(() => client.status.state === 'ready');
      expect(states).toEqual(['error', 'ready']);
    },
  );

  it('asks ever more seldom, up to once a minute, whatever its other waits are', async () => {
    const server = await service();
    server.onStream = (stream) => {
      stream.refuse(401);
    };
    const started = performance.now();
    connect(server.url, { firstRetryMs: 1, longestRetryMs: 20 });
    await eventually(() => server.streams.length === 6);
    // 10 + 20 + 40 + 80 + 160 ms at the least; without growing it would be 50.
    expect(performance.now() - started).toBeGreaterThanOrEqual(310);
  });

  it('answers from what it holds when its key is revoked, and tells nobody what it applies meanwhile', async () => {
    const server = await service();
    const { client } = connect(server.url, { heartbeatEveryMs: 5 });
    await client.ready();
    await eventually(() => server.heartbeats.length > 2);
    const { onStream } = server;
    server.heartbeatStatus = 401;
    server.onStream = (stream) => {
      stream.refuse(401);
    };
    server.last.destroy();
    await eventually(() => client.status.state === 'error');
    expect(details(client)).toMatchObject({ value: true, reason: 'STALE' });
    const { length } = server.heartbeats;
    await eventually(() => server.streams.length > 4);
    expect(server.heartbeats.length).toBeLessThanOrEqual(length + 1);
    server.heartbeatStatus = 204;
    server.onStream = onStream;
    await eventually(() => client.status.state === 'ready');
    await eventually(() => server.heartbeats.length > length + 3);
  });
});

it('logs nothing by itself, whatever happens', async () => {
  const warned: unknown[] = [];
  const listen = (warning: Error) => {
    warned.push(warning);
  };
  process.on('warning', listen);
  cleanUps.push(() => {
    process.off('warning', listen);
  });
  const server = await service();
  const { client } = connect(server.url, { onError: undefined } as never);
  await client.ready();
  client.onChange('*', () => {
    throw new Error('mine');
  });
  server.change(state(2, 0));
  await eventually(() => client.status.lastError?.code === 'SDK_LISTENER_FAILED');
  await server.stop();
  await eventually(() => client.status.lastError?.code === 'SDK_UNREACHABLE');
  expect(warned).toEqual([]);
});
