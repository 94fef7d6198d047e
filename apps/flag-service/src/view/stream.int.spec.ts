import {
  type FlagRecord,
  type FlagSnapshot,
  flagSnapshot,
  POLL_SECONDS_HEADER,
  stateTopic,
} from '@tidegate/contracts';
import { memoryBus } from '@tidegate/bus/testing';
import { AppError } from '@tidegate/kernel';
import { eventually } from '@tidegate/kernel/testing';
import { randomIds, systemClock } from '@tidegate/platform';
import { startTestService, type TestClient, type TestService } from '@tidegate/platform/testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { flagService } from '../index.ts';

const environment = '/v1/environments/test';
const flag = (percentage: number, settings = {}) => ({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage },
  settings,
});

let service: TestService;
beforeAll(async () => {
  service = await startTestService(flagService);
  await service.put(environment);
  await service.put('/v1/environments/production');
});

interface Received {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Listens as an SDK does. `next` waits for the next event that is no heartbeat; undefined: the stream has ended. */
async function listen(client: TestClient, path = `${environment}/stream`, headers = {}) {
  const abort = new AbortController();
  const response = await fetch(client.url + path, {
    headers: { authorization: `Bearer ${client.key}`, ...headers },
    signal: abort.signal,
  });
  const events = read(response);
  return {
    response,
    async next(): Promise<Received | undefined> {
      const { value, done } = await events.next();
      return done ? undefined : value.event === 'heartbeat' ? this.next() : value;
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
    },
  };
}

async function* read({ body }: Response): AsyncGenerator<Received> {
  let rest = '';
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    rest += Buffer.from(chunk).toString();
    const whole = rest.split('\n\n');
    rest = whole.pop() ?? '';
    for (const text of whole) {
      const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(text) ?? [];
      yield { event, data: JSON.parse(data) as Record<string, unknown> };
    }
  }
}

describe('a stream', () => {
  it('begins with every flag, then tells each change once and in order', async () => {
    await service.put(`${environment}/flags/a`, flag(1));
    await using stream = await listen(service.as('sdk', 'test'));
    expect(stream.response.headers.get('content-type')).toContain('text/event-stream');
    const first = await stream.next();
    expect(first?.event).toBe('snapshot');
    expect(flagSnapshot.parse(first?.data).flags.map(({ key }) => key)).toContain('a');

    for (const percentage of [2, 3, 4])
      await service.put(`${environment}/flags/a`, flag(percentage));
    await service.delete(`${environment}/flags/a?reason=old`);
    await service.idle();
    const seen = [
      await stream.next(),
      await stream.next(),
      await stream.next(),
      await stream.next(),
    ];
    expect(seen.map((received) => received?.event)).toEqual(['flag', 'flag', 'flag', 'flag']);
    const records = seen.map((received) => received?.data as unknown as FlagRecord);
    expect(records.map(({ version }) => version)).toEqual([2, 3, 4, 5]);
    expect(records.map(({ flag }) => flag?.definition.exposure.percentage)).toEqual([
      2_000,
      3_000,
      4_000,
      undefined,
    ]);
  });

  it('is compressed for who takes that, and the same for who does not', async () => {
    await service.put(`${environment}/flags/a`, flag(1));
    const path = `${environment}/stream`;
    await using zipped = await listen(service, path);
    expect(zipped.response.headers.get('content-encoding')).toBe('gzip');
    await using plain = await listen(service, path, { 'accept-encoding': 'identity' });
    expect(plain.response.headers.get('content-encoding')).toBeNull();
    expect(await plain.next()).toEqual(await zipped.next());
    await service.put(`${environment}/flags/a`, flag(2, { text: 'x'.repeat(60_000) }));
    await service.put(`${environment}/flags/a`, flag(3));
    for (const percentage of [2_000, 3_000])
      for (const stream of [plain, zipped])
        expect((await stream.next())?.data).toMatchObject({
          key: 'a',
          flag: { definition: { exposure: { percentage } } },
        });
  });

  it('does not repeat what the bus brings back, nor an older state', async () => {
    await service.put(`${environment}/flags/b`, flag(1));
    await using stream = await listen(service);
    await stream.next();
    await service.put(`${environment}/flags/b`, flag(2));
    await service.idle();
    const states = service.published(stateTopic('test')).filter(({ key }) => key === 'b');
    await service.context.bus.publish(
      states.map((state) => ({ ...state, topic: stateTopic('test') })),
    );
    await service.idle();
    await service.put(`${environment}/flags/b`, flag(3));
    expect((await stream.next())?.data).toMatchObject({ key: 'b', version: 2 });
    expect((await stream.next())?.data).toMatchObject({ key: 'b', version: 3 });
  });

  it('tells of segments too, and the snapshot has them', async () => {
    await using stream = await listen(service);
    await stream.next();
    const put = await service.put(`${environment}/segments/beta`, { members: ['ada'] });
    expect(put.status).toBeLessThan(300);
    const beta = { key: 'beta', version: 1, segment: { definition: { members: ['ada'] } } };
    expect(await stream.next()).toMatchObject({ event: 'segment', data: beta });
    const { body } = await service.get<FlagSnapshot>(`${environment}/snapshot`);
    expect(flagSnapshot.parse(body).segments).toMatchObject([beta]);
    await service.delete(`${environment}/segments/beta?reason=old`);
    expect((await stream.next())?.data).toMatchObject({ key: 'beta', version: 2, segment: null });
  });

  it('spares a client that is up to date the snapshot', async () => {
    const { body } = await service.get<FlagSnapshot>(`${environment}/snapshot`);
    await using stream = await listen(service, `${environment}/stream?digest=${body.digest}`);
    expect(await stream.next()).toEqual({ event: 'unchanged', data: { digest: body.digest } });
    await using behind = await listen(service, `${environment}/stream?digest=0123`);
    expect((await behind.next())?.event).toBe('snapshot');
  });

  it('hears of a change of another replica', async () => {
    await service.put(`${environment}/flags/c`, flag(1));
    const state = service.published(stateTopic('test')).find(({ key }) => key === 'c');
    await using stream = await listen(service);
    await stream.next();
    if (!state) throw new Error('There is no state.');
    await service.idle();
    const metadata = { ...state.metadata, id: 'other', revision: { epoch: 1, version: 9 } };
    await service.context.bus.publish([{ ...state, metadata, topic: stateTopic('test') }]);
    expect((await stream.next())?.data).toMatchObject({ key: 'c', version: 9 });
  });

  it('hears of a kill although the bus is away', async () => {
    const bus = memoryBus({ clock: systemClock, ids: randomIds });
    await using alone = await startTestService(flagService, { bus });
    await alone.put(environment);
    await alone.put(`${environment}/flags/a`, flag(100));
    await using stream = await listen(alone);
    await stream.next();
    Object.assign(bus.log, {
      append: async () => {
        throw new AppError('BUS_UNREACHABLE', 'cut', { retryable: true });
      },
    });
    await alone.post(`${environment}/flags/a/disable`, { reason: 'now' });
    expect((await stream.next())?.data).toMatchObject({ flag: { disabled: { reason: 'now' } } });
    Reflect.deleteProperty(bus.log, 'append');
  });

  it('is for keys of its environment', async () => {
    const stream = `${environment}/stream`;
    expect((await service.as('sdk', 'production').get(stream)).status).toBe(403);
    expect((await service.anonymous().get(stream)).status).toBe(401);
  });

  it('ends at once when the service stops', async () => {
    const stopped = await startTestService(flagService);
    await stopped.put(environment);
    await using stream = await listen(stopped);
    await stream.next();
    const stopping = stopped.stop();
    expect(await stream.next()).toBeUndefined();
    await stopping;
  });

  it('is not to be had once there are too many: their clients are told to poll until one ends', async () => {
    const env = { FLAG_SERVICE_MAX_STREAMS: '1', SHUTDOWN_GRACE_MS: '1000' };
    await using small = await startTestService(flagService, { env });
    await small.put(environment);
    const first = await listen(small);
    await first.next();
    const refused = await small.get(`${environment}/stream`);
    expect([refused.status, refused.body['code']]).toEqual([429, 'STREAMS_FULL']);
    expect(refused.headers.get(POLL_SECONDS_HEADER)).toBe('10');
    expect(refused.headers.get('retry-after')).toBe('60');
    await small.get(`${environment}/stream`);
    expect(small.log.filter(({ maxStreams }) => maxStreams === 1)).toHaveLength(1);
    expect((await small.get(`${environment}/snapshot`)).status).toBe(200);
    await first[Symbol.asyncDispose]();
    await using next = await eventually(async () => {
      const again = await listen(small);
      return again.response.status === 200 ? again : again.response.text().then(() => undefined);
    });
    expect((await next.next())?.event).toBe('snapshot');
  });

  it('is cut off when its reader does not keep up, and the others go on', async () => {
    const env = { FLAG_SERVICE_STREAM_BUFFER_BYTES: '262144' };
    await using small = await startTestService(flagService, { env });
    await small.put(environment);
    const socket = connect(Number(new URL(small.url).port), '127.0.0.1');
    socket.pause();
    socket.write(
      `GET ${environment}/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${small.key}\r\n\r\n`,
    );
    await using reader = await listen(small);
    await reader.next();
    let changes = 0;
    while (!small.log.some(({ msg }) => String(msg).includes('cut off'))) {
      changes += 1;
      await small.put(
        `${environment}/flags/big`,
        flag(1, { text: `${changes}`.padEnd(50_000, '.') }),
      );
      if (changes > 2_000) throw new Error('The slow reader was never cut off.');
    }
    for (let seen = 0; seen < changes; seen += 1)
      expect((await reader.next())?.data).toMatchObject({ version: seen + 1 });
    const metrics = await small.get('/metrics');
    expect(metrics.text).toContain('tidegate_flag_streams_cut_total 1\n');
    expect(metrics.text).toMatch(/tidegate_flag_streams_open [12]\n/);
    const closed = once(socket, 'close');
    socket.resume();
    await closed;
  }, 20_000);
});

describe('a snapshot', () => {
  it('has its digest as ETag, and is not sent to who has it', async () => {
    await service.put(`${environment}/flags/d`, flag(1));
    const reader = service.as('sdk', 'test');
    const first = await reader.get<FlagSnapshot>(`${environment}/snapshot`);
    const etag = first.headers.get('etag') ?? '';
    const { digest } = flagSnapshot.parse(first.body);
    expect([etag, first.headers.get('content-encoding')]).toEqual([`"${digest}-gzip"`, 'gzip']);
    const plain = await reader.get(`${environment}/snapshot`, { 'accept-encoding': 'identity' });
    expect([plain.headers.get('etag'), plain.text]).toEqual([`"${digest}"`, first.text]);
    const whole = await reader.get(`${environment}/snapshot`, { 'if-none-match': `"${digest}"` });
    expect(whole.status).toBe(304);
    const again = await reader.get(`${environment}/snapshot`, { 'if-none-match': etag });
    expect([again.status, again.text]).toEqual([304, '']);
    await service.put(`${environment}/flags/d`, flag(2));
    const later = await reader.get(`${environment}/snapshot`, { 'if-none-match': etag });
    expect(later.status).toBe(200);
  });

  it('may be asked for by many instances with one key, beside what the key may ask', async () => {
    const env = { RATE_LIMIT_PER_MINUTE: '3' };
    await using limited = await startTestService(flagService, { env });
    await limited.put(environment);
    const sdk = limited.as('sdk', 'test');
    for (let instance = 0; instance < 10; instance += 1)
      expect((await sdk.get(`${environment}/snapshot`)).status).toBe(200);
  });

  it('is the same after a restart', async () => {
    const bus = memoryBus({ clock: systemClock, ids: randomIds });
    const first = await startTestService(flagService, { bus });
    const { store } = first.context;
    await first.put(environment);
    await first.put(`${environment}/flags/a`, flag(1));
    const before = await first.get(`${environment}/snapshot`);
    await first.stop();
    await using second = await startTestService(flagService, { bus, store });
    expect((await second.get(`${environment}/snapshot`)).text).toBe(before.text);
  });
});

describe('instances', () => {
  const beat = (instance: string, version: number) => ({
    application: 'checkout',
    instance,
    applied: { e: { epoch: 1, version, at: systemClock.now() } },
  });
  const applied = () => service.get(`${environment}/flags/e/applied`);

  it('say which version of a flag is in force on them', async () => {
    await service.put(`${environment}/flags/e`, flag(1));
    expect((await applied()).body).toMatchObject({ version: 1, live: 0, heard: 0 });
    const sdk = service.as('sdk', 'test');
    expect((await sdk.post(`${environment}/heartbeats`, beat('i-1', 1))).status).toBe(204);
    await service.put(`${environment}/flags/e`, flag(2));
    await sdk.post(`${environment}/heartbeats`, beat('i-2', 2));
    expect((await applied()).body).toEqual({
      epoch: 1,
      version: 2,
      live: 1,
      heard: 2,
      slowestMs: expect.any(Number),
      behind: [expect.objectContaining({ instance: 'i-1', version: 1, since: expect.any(Number) })],
      instances: [
        expect.objectContaining({ application: 'checkout', instance: 'i-1', version: 1 }),
        expect.objectContaining({ application: 'checkout', instance: 'i-2', version: 2 }),
      ],
    });
  });

  it('are told to the other replicas, and heard of from them', async () => {
    const alive = service.published('sdk.heartbeats').at(-1);
    expect(alive).toMatchObject({ type: 'SdkAlive', data: { environment: 'test' } });
    if (!alive) throw new Error('There is no heartbeat.');
    const elsewhere = { environment: 'test', ...beat('i-3', 2) };
    const metadata = { ...alive.metadata, id: 'other', at: systemClock.now() };
    await service.context.bus.publish([
      { ...alive, topic: 'sdk.heartbeats', data: elsewhere, metadata },
    ]);
    await service.idle();
    expect((await applied()).body).toMatchObject({ live: 2, heard: 3 });
  });

  it('must say who they are', async () => {
    const answer = await service.post(`${environment}/heartbeats`, { applied: {} });
    expect(answer.body['errors']).toContainEqual(
      expect.objectContaining({ pointer: '#/instance' }),
    );
    expect((await service.get(`${environment}/flags/nope/applied`)).status).toBe(404);
  });
});

it('is ready only with its views held, and says how much it holds', async () => {
  const { status, body } = await service.anonymous().get('/health/ready');
  expect(status).toBe(200);
  expect(JSON.stringify(body)).toContain('environments');
});

it('ends the stream of a key that is revoked, and of no other', async () => {
  const own = await startTestService(flagService, { env: { API_KEYS_CHECK_MS: '50' } });
  await own.put(environment);
  await using revoked = await listen(own.as('sdk', 'test'));
  await using other = await listen(own.as('viewer'));
  for (const stream of [revoked, other]) await stream.next();
  const file = join(own.folder, 'keys');
  const lines = (await readFile(file, 'utf8')).split('\n');
  await writeFile(file, lines.filter((line) => !line.includes('"sdk@test"')).join('\n'));
  expect(await revoked.next()).toBeUndefined();
  await own.put(`${environment}/flags/f`, flag(0));
  expect(await other.next()).toMatchObject({ event: 'flag' });
}, 20_000); // asked with every heartbeat
