import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { FakeFlagService, OPEN, state } from '../../../test/servers/fake-flag-service.ts';
import type { TidegateOptions } from './options.ts';
import type { Tidegate } from './tidegate.port.ts';
import { createTidegate } from './tidegate.sse.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function service(): Promise<FakeFlagService> {
  const started = await FakeFlagService.start();
  cleanUps.push(() => started.stop());
  started.view.apply(state(1, 0));
  return started;
}

function connect(url: string, options: Partial<TidegateOptions> = {}) {
  const errors: string[] = [];
  const client = createTidegate({
    url,
    environment: 'production',
    key: 'sdk-key',
    firstRetryMs: 5,
    longestRetryMs: 20,
    pollIntervalMs: 10,
    onError: ({ code }) => errors.push(code),
    ...options,
  });
  cleanUps.push(() => client.close());
  return { client, errors };
}
const isOn = (client: Tidegate) => client.boolean('checkout-v2', false);

describe('a client that polls', () => {
  it('follows the flags, opens no stream, and is sent the snapshot only when it has changed', async () => {
    const server = await service();
    const { client, errors } = connect(server.url, { mode: 'poll' });
    await client.ready();
    await eventually(() => server.polls.length > 3);
    expect(server.polls.map(({ status }) => status)).toEqual([
      200,
      ...server.polls.slice(1).map(() => 304),
    ]);
    server.view.apply(state(2, OPEN));
    await eventually(() => isOn(client));
    expect(server.streams).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('is current while nothing changes, STALE while the server is away, and current again after it', async () => {
    const server = await service();
    const { client, errors } = connect(server.url, { mode: 'poll', staleAfterMs: 1_000 });
    const states: string[] = [];
    client.onStatus(({ state }) => {
      states.push(state);
    });
    await client.ready();
    const started = Date.now();
    await eventually(() => Date.now() - started > 1_500);
    expect(states).toEqual(['ready']);
    server.snapshotStatus = 503;
    await eventually(() => client.status.state === 'stale');
    expect(errors).toContain('SDK_UNAVAILABLE');
    expect(client.status.lastError?.message).toContain('and no snapshot');
    server.snapshotStatus = 200;
    await eventually(() => client.status.state === 'ready');
    expect(client.status.lastError).toBeUndefined();
  });

  it('tells of what it has applied, as one with a stream does', async () => {
    const server = await service();
    server.view.apply(state(7, 0, { held: true }));
    const { client } = connect(server.url, { mode: 'poll' });
    await client.ready();
    await eventually(() => server.heartbeats.length > 0);
    expect(server.heartbeats[0]?.applied).toMatchObject({ 'checkout-v2': { version: 7 } });
    server.view.apply(state(8, 0, { held: true }));
    await eventually(() => server.heartbeats.at(-1)?.applied['checkout-v2']?.version === 8);
  });
});

describe('a client whose server has no stream to give', () => {
  const full = { 'tidegate-poll-seconds': '1', 'retry-after': '1' };

  it('polls as the server says, reports it once, and takes a stream when there is one', async () => {
    const server = await service();
    const { onStream } = server;
    server.onStream = (stream) => {
      stream.refuse(429, full);
    };
    const { client, errors } = connect(server.url);
    await client.ready();
    server.view.apply(state(2, OPEN));
    await eventually(() => isOn(client));
    await eventually(() => server.streams.length === 2);
    expect(errors).toEqual(['SDK_STREAMS_FULL']);
    expect(client.status.state).toBe('ready');

    server.onStream = onStream;
    await eventually(() => server.streams.length === 3);
    const { length } = server.polls;
    server.change(state(3, 0));
    await eventually(() => !isOn(client));
    server.last.destroy();
    await eventually(() => server.streams.length === 4);
    expect(server.polls).toHaveLength(length);
  });

  it('does not come back before the server wants it to', async () => {
    const server = await service();
    server.onStream = (stream) => {
      stream.refuse(429, { 'retry-after': '1' });
    };
    const started = performance.now();
    const { errors } = connect(server.url);
    await eventually(() => server.streams.length === 2);
    expect(performance.now() - started).toBeGreaterThanOrEqual(1_000);
    expect(errors[0]).toBe('SDK_UNAVAILABLE');
    expect(server.polls).toEqual([]);
  });
});
