import { afterEach, describe, expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import type { FlagRecord } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import {
  FakeFlagService,
  OPEN,
  state,
  type Stream,
} from '../../../test/servers/fake-flag-service.ts';
import type { Tidegate, TidegateOptions } from './index.ts';
import { TIDEGATE, TidegateModule } from './nest.ts';
import { createTidegate } from './tidegate.sse.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startService(port?: number): Promise<FakeFlagService> {
  const service = await FakeFlagService.start(port);
  cleanUps.push(() => service.stop());
  return service;
}

function connect(url: string, options: Partial<TidegateOptions> = {}) {
  const errors: string[] = [];
  const client = createTidegate({
    url,
    environment: 'production',
    key: 'sdk-key',
    application: 'checkout',
    instance: 'checkout-1',
    firstRetryMs: 5,
    longestRetryMs: 20,
    onError: ({ code }) => errors.push(code),
    ...options,
  });
  cleanUps.push(() => client.close());
  return { client, errors };
}

async function connected(states: FlagRecord[], options: Partial<TidegateOptions> = {}) {
  const service = await startService();
  for (const each of states) service.view.apply(each);
  const { client, errors } = connect(service.url, options);
  await client.ready();
  return { service, client, errors };
}
const isOn = (client: Tidegate) => client.boolean('checkout-v2', false);

describe('over the stream, a client', () => {
  it('holds the snapshot once it is ready, then applies each change', async () => {
    const { service, client } = await connected([state(1, 0)]);
    expect(service.last).toMatchObject({
      path: '/v1/environments/production/stream',
      authorization: 'Bearer sdk-key',
      digest: null,
    });
    expect(client.details('checkout-v2', true)).toMatchObject({ value: false, reason: 'STATIC' });
    service.change(state(2, OPEN));
    await eventually(() => isOn(client));
    service.change({ ...state(3, 0), flag: null });
    await eventually(() => client.details('checkout-v2', true).errorCode === 'FLAG_NOT_FOUND');
  });

  it('never takes an older state for a newer one, from a change or from a snapshot', async () => {
    const { service, client } = await connected([state(5, OPEN)]);
    service.last.send('flag', state(4, 0));
    service.last.send('snapshot', { digest: 'older', flags: [state(3, 0)] });
    service.last.send('flag', state(1, OPEN, { key: 'marker' }));
    await eventually(() => client.boolean('marker', false));
    expect(isOn(client)).toBe(true);
    expect(client.details('checkout-v2', false).flagMetadata).toMatchObject({ version: 5 });
  });

  it('takes segments from the snapshot and from changes, and has the digest of its server', async () => {
    const record = state(1, 0);
    record.flag!.definition.rules = [{ when: { segment: 'beta' }, variant: 'on' }];
    const beta = (version: number, members: string[]) => ({
      key: 'beta',
      epoch: 1,
      version,
      segment: { definition: { members, excluded: [], tags: [] } },
    });
    const service = await startService();
    service.view.apply(record);
    service.view.apply(beta(1, ['ada']));
    const { client } = connect(service.url);
    await client.ready();
    const isIn = (targetingKey: string) => client.boolean('checkout-v2', false, { targetingKey });
    expect([isIn('ada'), isIn('bob')]).toEqual([true, false]);
    service.change(beta(2, ['bob']));
    await eventually(() => isIn('bob'));
    expect(isIn('ada')).toBe(false);
    expect(client.status.digest).toBe(service.view.digest);
    service.last.send('weather', { sun: true });
    service.change(beta(3, ['ada']));
    await eventually(() => isIn('ada'));
    expect(service.streams).toHaveLength(1);
    expect(client.status.lastError).toBeUndefined();
  });

  it('comes back after the server has died, and is spared the snapshot that it holds', async () => {
    const { service, client, errors } = await connected([state(1, OPEN)]);
    const { port } = service;
    await service.stop();
    await eventually(() => errors.includes('SDK_UNREACHABLE'));
    expect(client.details('checkout-v2', false)).toMatchObject({ value: true, reason: 'STATIC' });
    const again = await startService(port);
    again.view.apply(state(1, OPEN));
    await eventually(() => again.streams.length > 0);
    expect(again.last.digest).toBe(again.view.digest);
    again.change(state(2, 0));
    await eventually(() => !isOn(client));
  });

  it('gets with the next snapshot what has changed while it was cut off', async () => {
    const { service, client } = await connected([state(1, OPEN)]);
    service.view.apply(state(2, 0));
    service.last.destroy();
    await eventually(() => !isOn(client));
    expect(service.streams).toHaveLength(2);
  });

  it('opens a new stream when the old one ends or falls silent', async () => {
    const { service, client, errors } = await connected([state(1, 0)], { idleTimeoutMs: 40 });
    service.last.end();
    await eventually(() => service.streams.length === 2);
    await eventually(() => service.streams.length === 3);
    expect(errors.slice(0, 2)).toEqual(['SDK_STREAM_ENDED', 'SDK_STREAM_SILENT']);
    expect(service.streams[1]?.isClosed).toBe(true);
    expect(client.status.state).toBe('ready');
  });

  it('keeps a stream on which heartbeats come', async () => {
    const { service } = await connected([state(1, 0)], { idleTimeoutMs: 150 });
    const started = Date.now();
    const beat = setInterval(() => service.last.send('heartbeat', { at: Date.now() }), 10);
    cleanUps.push(() => Promise.resolve(clearInterval(beat)));
    await eventually(() => Date.now() - started > 450);
    expect(service.streams).toHaveLength(1);
  });

  it('gives up a connection that stalls before its first byte', async () => {
    const service = await startService();
    const { onStream } = service;
    service.onStream = (stream) => {
      if (service.streams.length > 1) onStream(stream);
    };
    const { client, errors } = connect(service.url, { idleTimeoutMs: 40 });
    await client.ready();
    expect(errors).toEqual(['SDK_STREAM_SILENT']);
  });

  it.each([
    ['what is not JSON', (s: Stream) => s.raw('event: flag\ndata: {"key":\n\n')],
    ['a snapshot that is none', (s: Stream) => s.send('snapshot', { flags: 7 })],
    ['bytes without meaning', (s: Stream) => s.raw(Buffer.from([0xff, 0, 0xfe, 0x0a, 0x0a]))],
    ['an event of no known kind', (s: Stream) => s.send('weather', { sun: true })],
  ])('survives %s', async (_what, misbehave) => {
    const { service, client } = await connected([state(1, 0)], { idleTimeoutMs: 100 });
    misbehave(service.last);
    service.view.apply(state(2, OPEN));
    if (!service.last.isClosed) service.last.send('flag', state(2, OPEN));
    await eventually(() => isOn(client));
    expect(client.status.state).toBe('ready');
  });

  it('reports a flag that it cannot read, and applies the others', async () => {
    const { service, client, errors } = await connected([]);
    const strange = { key: 'strange', epoch: 1, version: 1, flag: { definition: {} } };
    service.last.send('snapshot', { digest: 'd', flags: [strange, state(1, OPEN)] });
    await eventually(() => isOn(client));
    expect(errors).toEqual(['SDK_MESSAGE_INVALID']);
    expect(service.streams).toHaveLength(1);
  });

  it('reads events that arrive in pieces, cut inside a character', async () => {
    const { service, client } = await connected([]);
    const record = state(1, OPEN);
    record.flag!.definition.description = 'für alle 🛒';
    const bytes = Buffer.from(`event: flag\ndata: ${JSON.stringify(record)}\n\n`);
    for (const byte of bytes) service.last.raw(Uint8Array.of(byte));
    await eventually(() => isOn(client));
  });
});

describe('a client that is cut off', () => {
  it('answers as STALE with the age of its data once its limit has passed, and recovers by itself', async () => {
    const { service, client } = await connected([state(1, OPEN)], { staleAfterMs: 50 });
    const states: string[] = [];
    client.onStatus((status) => {
      states.push(status.state);
    });
    const { onStream } = service;
    service.onStream = (stream) => stream.destroy();
    service.last.destroy();
    await eventually(() => client.status.state === 'stale');
    const details = client.details('checkout-v2', false);
    expect(details).toMatchObject({ value: true, variant: 'on', reason: 'STALE' });
    expect(details.flagMetadata.ageMs).toBeGreaterThanOrEqual(50);
    service.onStream = onStream;
    await eventually(() => client.status.state === 'ready');
    expect(client.details('checkout-v2', false)).toMatchObject({ value: true, reason: 'STATIC' });
    expect(states).toEqual(['stale', 'ready']);
  });

  it('recovers also on the same stream, when it was only slow', async () => {
    const { service, client } = await connected([state(1, OPEN)], { staleAfterMs: 50 });
    await eventually(() => client.status.state === 'stale');
    service.last.send('heartbeat', { at: 0 });
    await eventually(() => client.status.state === 'ready');
    expect(service.streams).toHaveLength(1);
  });

  it('is not fooled by a server that accepts it and says nothing but heartbeats', async () => {
    const options = { staleAfterMs: 400, firstRetryMs: 1 };
    const { service, client } = await connected([state(1, OPEN)], options);
    service.onStream = (stream) => {
      expect(client.status.state).toBe('ready');
      stream.head();
      const beat = setInterval(() => stream.send('heartbeat', { at: 0 }), 5);
      cleanUps.push(() => Promise.resolve(clearInterval(beat)));
    };
    service.last.destroy();
    await eventually(() => client.status.state === 'stale');
    expect(service.streams).toHaveLength(2);
    expect(service.last.isClosed).toBe(false);
  });

  it('tries again with growing waits, not in a storm', async () => {
    const service = await startService();
    service.onStream = (stream) => stream.destroy();
    const options = { firstRetryMs: 20, longestRetryMs: 80 };
    const started = Date.now();
    connect(service.url, options);
    await eventually(() => service.streams.length === 6);
    // 10 + 20 + 40 + 40 + 40 ms at the least.
    expect(Date.now() - started).toBeGreaterThanOrEqual(145);
  });

  it('tries again soon once a stream has lasted until its first heartbeat', async () => {
    const service = await startService();
    const { onStream } = service;
    service.onStream = (stream) => stream.destroy();
    const { client } = connect(service.url, { firstRetryMs: 10, longestRetryMs: 60_000 });
    await eventually(() => service.streams.length === 9, 20_000); // the next wait: 1.3 s and more
    service.onStream = onStream;
    await eventually(() => client.status.state === 'ready');
    service.last.send('heartbeat', { at: 0 });
    service.change(state(1, OPEN));
    await eventually(() => client.boolean('checkout-v2', false));
    const ended = Date.now();
    const { length } = service.streams;
    service.last.destroy();
    await eventually(() => service.streams.length > length);
    expect(Date.now() - ended).toBeLessThan(1_000);
  }, 30_000);
});

describe('ready()', () => {
  it.each([
    [401, 'does not know the key (401).'],
    [403, 'does not allow the key'],
    [404, 'has no environment "production"'],
    [503, 'answered with status 503'],
  ])('rejects in time and says why when the server answers %i', async (status, why) => {
    const service = await startService();
    service.onStream = (stream) => {
      stream.head(status, 'application/problem+json');
      stream.end();
    };
    const { client, errors } = connect(service.url);
    await eventually(() => errors.length > 0);
    await expect(client.ready(20)).rejects.toMatchObject({
      code: 'SDK_NOT_READY',
      message: expect.stringContaining(why),
    });
    expect(client.boolean('checkout-v2', true)).toBe(true);
  });

  it('resolves later all the same, once the server is there', async () => {
    const service = await startService();
    const { url, port } = service;
    await service.stop();
    const { client, errors } = connect(url);
    await eventually(() => errors.length > 0);
    const waiting = client.ready();
    await startService(port);
    await waiting;
    expect(errors.every((code) => code === 'SDK_UNREACHABLE')).toBe(true);
  });

  it('rejects a page that is no stream', async () => {
    const service = await startService();
    service.onStream = (stream) => {
      stream.head(200, 'text/html');
      stream.end();
    };
    const { client, errors } = connect(service.url);
    await eventually(() => errors.includes('SDK_UNAVAILABLE'));
    await expect(client.ready(20)).rejects.toMatchObject({ code: 'SDK_NOT_READY' });
  });
});

describe('heartbeats', () => {
  const applied = (service: FakeFlagService) => service.heartbeats.at(-1)?.applied;
  const evaluated = ({ heartbeats }: FakeFlagService) =>
    heartbeats.reduce(
      (sum, { evaluations }) => sum + (evaluations?.['checkout-v2']?.['on'] ?? 0),
      0,
    );

  it('tell at once, and again and again, which revisions of held flags are applied', async () => {
    const free = state(9, 0, { key: 'free' });
    const before = Date.now();
    const { service } = await connected([state(3, OPEN, { held: true }), free], {
      heartbeatEveryMs: 20,
    });
    await eventually(() => service.heartbeats.length >= 3);
    expect(service.heartbeats[0]).toEqual({
      application: 'checkout',
      instance: 'checkout-1',
      applied: { 'checkout-v2': { epoch: 1, version: 3, at: expect.any(Number) } },
      digest: service.view.digest,
      evaluations: {},
      unknown: [],
    });
    expect(applied(service)?.['checkout-v2']?.at).toBeGreaterThanOrEqual(before);
  });

  it('name what changed last, also where no rollout waits for it: somebody may have turned it off', async () => {
    const { service } = await connected([state(1, OPEN), state(1, OPEN, { key: 'other' })], {
      heartbeatEveryMs: 20,
    });
    await eventually(() => service.heartbeats.length > 0);
    expect(applied(service)).toEqual({});
    service.change(state(2, 0));
    await eventually(() => applied(service)?.['checkout-v2']?.version === 2);
    expect(Object.keys(applied(service) ?? {})).toEqual(['checkout-v2']);
    expect(service.heartbeats.at(-1)?.digest).toBe(service.view.digest);
  });

  it('tell at once of a change that a rollout waits for, and not of others', async () => {
    const { service } = await connected([state(1, 0, { held: true })], {
      heartbeatEveryMs: 60_000,
    });
    await eventually(() => service.heartbeats.length === 1);
    service.change(state(1, OPEN, { key: 'free' }));
    service.change(state(2, OPEN, { held: true }));
    await eventually(() => applied(service)?.['checkout-v2']?.version === 2);
    expect(service.heartbeats).toHaveLength(2);
    service.change(state(3, 0));
    await eventually(() => applied(service)?.['checkout-v2']?.version === 3);
  });

  it('tell what was evaluated, each answer once, also what they could not tell before', async () => {
    const { service, client } = await connected([state(1, OPEN)], { heartbeatEveryMs: 20 });
    await eventually(() => service.heartbeats.length > 0);
    service.heartbeatStatus = 503;
    for (let n = 0; n < 3; n += 1) isOn(client);
    client.boolean('chekout', false);
    const { length } = service.heartbeats;
    await eventually(() => service.heartbeats.length > length + 2);
    service.heartbeatStatus = 204;
    const isTold = service.heartbeats.length;
    isOn(client);
    await eventually(() => service.heartbeats.length > isTold + 3);
    const taken = service.heartbeats.slice(isTold);
    const counts = taken.map(({ evaluations }) => evaluations?.['checkout-v2']?.['on'] ?? 0);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(taken.flatMap(({ unknown }) => unknown)).toEqual(['chekout']);
  });

  it.each([0, 400, 401])(
    'tell nothing twice that may have been counted, or is refused: status %d',
    async (status) => {
      const { service, client } = await connected([state(1, OPEN)], { heartbeatEveryMs: 20 });
      await eventually(() => service.heartbeats.length > 0);
      service.heartbeatStatus = status;
      isOn(client);
      await eventually(() => evaluated(service) === 1);
      service.heartbeatStatus = 204;
      service.change(state(2, OPEN, { held: true }));
      await eventually(() => applied(service)?.['checkout-v2'] !== undefined);
      expect(evaluated(service)).toBe(1);
    },
  );

  it('tell later what was evaluated while nobody could be reached', async () => {
    const { service, client, errors } = await connected([state(1, OPEN)], { heartbeatEveryMs: 20 });
    await eventually(() => service.heartbeats.length > 0);
    await service.stop();
    isOn(client);
    await eventually(() => errors.includes('SDK_HEARTBEAT_FAILED'));
    const again = await startService(Number(new URL(service.url).port));
    again.view.apply(state(1, OPEN));
    await eventually(() => evaluated(service) + evaluated(again) === 1);
  });

  it('report once that they fail, disturb nothing and go on', async () => {
    const { service, client, errors } = await connected([state(1, 0)], { heartbeatEveryMs: 5 });
    service.heartbeatStatus = 500;
    const before = service.heartbeats.length;
    await eventually(() => service.heartbeats.length > before + 5);
    expect(errors).toEqual(['SDK_HEARTBEAT_FAILED']);
    service.change(state(2, OPEN));
    await eventually(() => isOn(client));
  });
});

describe('close()', () => {
  it('ends stream and heartbeats, however often it is called', async () => {
    const { service, client } = await connected([state(1, OPEN)], { heartbeatEveryMs: 5 });
    await Promise.all([client.close(), client.close()]);
    await eventually(() => service.last.isClosed);
    const { length } = service.heartbeats;
    const other = connect(service.url, { instance: 'other', heartbeatEveryMs: 5 });
    await eventually(() => service.heartbeats.length > length + 3);
    expect(service.heartbeats.slice(length + 1).map(({ instance }) => instance)).not.toContain(
      'checkout-1',
    );
    await other.client.close();
    expect(client.details('checkout-v2', false)).toMatchObject({ value: true, reason: 'STALE' });
  });
});

describe('the Nest module', () => {
  it('gives one client to the application and closes it with it', async () => {
    const service = await startService();
    service.view.apply(state(1, OPEN));
    const options = { url: service.url, environment: 'production', key: 'sdk-key' };
    const app = await NestFactory.createApplicationContext(TidegateModule.forRoot(options), {
      logger: false,
    });
    const client = app.get<Tidegate>(TIDEGATE);
    await client.ready();
    expect(isOn(client)).toBe(true);
    await app.close();
    expect(client.status.state).toBe('closed');
    await eventually(() => service.last.isClosed);
  });
});
