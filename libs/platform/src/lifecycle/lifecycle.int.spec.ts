import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PutEnvironment } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import { eventually } from '@tidegate/kernel/testing';
import { newMessage } from '../http/command.ts';
import { memoryBus } from '@tidegate/bus/testing';
import { memoryStore } from '@tidegate/store/testing';
import { startTestService } from '../test-service.nest.ts';
import { type Gate, tinyService } from '../tiny-service.nest.ts';
import { randomIds, systemClock } from '../system-clock.ts';
import { startService } from './start-service.nest.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

/** Holds what enters until it is opened. */
function gate(): Gate & { open(): void; readonly entered: string[] } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const entered: string[] = [];
  return {
    entered,
    open: () => {
      resolve();
    },
    enter(what) {
      entered.push(what);
      return what === 'stopped' ? undefined : promise;
    },
  };
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tidegate-'));
  cleanups.push(() => rm(path, { recursive: true }));
  return path;
}

const env = { ADMIN_API_KEY: 'a key that is long enough', LOG_LEVEL: 'silent' };

describe('a start', () => {
  it('names every option that is wrong, in one message', async () => {
    const wrong = { TINY_LIMIT: 'many', LOG_LEVEL: 'loud', BUS_URL: 'rabbit://h1:9092' };
    await expect(startService(tinyService(), { env: wrong })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        /BUS_URL: must be sqlite:<file> or kafka:\/\/.*LOG_LEVEL.*ADMIN_API_KEY or API_KEYS_FILE is needed.*TINY_LIMIT/s,
      ),
    });
  });

  it('names the port that is taken, and the option that sets it, and gives everything back', async () => {
    const first = await startTestService(tinyService());
    const port = Number(new URL(first.url).port);
    const place = { ...env, DATA_DIR: await folder() };
    await expect(
      startService(tinyService(), { env: place, port, portOption: 'TINY_PORT' }),
    ).rejects.toMatchObject({
      code: 'PLATFORM_PORT_IN_USE',
      message: `Port ${port} on 127.0.0.1 is in use by another program: set TINY_PORT to a free one.`,
    });
    const second = await startService(tinyService(), { env: place, port: 0 });
    await second.stop();
  });

  it('is refused while another process has the store', async () => {
    const place = { ...env, DATA_DIR: await folder() };
    const first = await startService(tinyService(), { env: place, port: 0 });
    cleanups.unshift(() => first.stop());
    await expect(startService(tinyService(), { env: place, port: 0 })).rejects.toMatchObject({
      code: 'STORE_IN_USE',
    });
  });

  it('closes what is open when the module of the service fails', async () => {
    const place = { ...env, DATA_DIR: await folder() };
    const broken = {
      ...tinyService(),
      module: () => {
        throw new Error('no such address book');
      },
    };
    await expect(startService(broken, { env: place, port: 0 })).rejects.toThrow('address book');
    const next = await startService(tinyService(), { env: place, port: 0 });
    await next.stop();
  });
});

describe('a stop', () => {
  it('under load answers every request that it has taken, and resets none', async () => {
    const service = await startTestService(tinyService(), { env: { SHUTDOWN_LINGER_MS: '300' } });
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const path = `${service.url}/v1/environments/test/items`;
    const headers = { authorization: `Bearer ${service.key}` };
    const outcomes: string[] = [];
    let refused = false;
    const client = async (): Promise<void> => {
      while (!refused) {
        const outcome = await ask(path, { agent, headers });
        refused ||= outcome === 'ECONNREFUSED';
        outcomes.push(outcome);
      }
    };
    const clients = Array.from({ length: 16 }, client);
    await eventually(() => outcomes.length > 200);
    const answeredBefore = outcomes.length;
    await service.stop();
    await Promise.all(clients);
    agent.destroy();
    expect(outcomes.length).toBeGreaterThan(answeredBefore);
    expect(new Set(outcomes)).toEqual(new Set(['200', 'ECONNREFUSED']));
  });

  it('waits for the request that is under way', async () => {
    const held = gate();
    const service = await startTestService(tinyService(held));
    const answer = service.get('/v1/environments/test/slow');
    await eventually(() => held.entered.includes('request'));
    const stopped = service.stop();
    await eventually(() => service.context.stopping.aborted);
    held.open();
    expect((await answer).body).toEqual({ done: true });
    expect((await answer).headers.get('connection')).toBe('close');
    await stopped;
    expect(held.entered.at(-1)).toBe('stopped');
  });

  it('finishes the messages that are being handled, and leaves the rest for the next start', async () => {
    const held = gate();
    const bus = memoryBus({ clock: systemClock, ids: randomIds });
    const store = memoryStore({ clock: systemClock });
    const service = await startTestService(tinyService(held), { bus, store });
    const places = Array.from({ length: 50 }, (_, index) => `place-${index}`);
    await bus.publish(
      places.map((environment) => newMessage(service.context, PutEnvironment, { environment })),
    );
    await eventually(() => held.entered.includes('message'));
    const stopped = service.stop();
    await eventually(() => service.context.stopping.aborted);
    held.open();
    await stopped;
    const answered = () => service.published('flag.events').map(({ key }) => key);
    const begun = held.entered.filter((what) => what === 'message').length;
    expect(answered()).toHaveLength(begun);
    expect(held.entered.at(-1)).toBe('stopped');

    const again = await startTestService(tinyService(), { bus, store });
    await eventually(() => again.published('flag.events').length >= places.length);
    await again.idle();
    expect(answered().toSorted()).toEqual(places.toSorted());
  });

  it('is not held up by an event stream that nobody ends', async () => {
    const service = await startTestService(tinyService());
    const [response] = (await once(
      get(`${service.url}/v1/stream`, { headers: { accept: 'text/event-stream' } }),
      'response',
    )) as [IncomingMessage];
    response.resume().on('error', () => undefined); // cut off, as it says below
    await service.stop();
    await eventually(() => response.closed);
    expect(response.complete).toBe(false);
    expect(service.log.map(({ msg }) => msg)).toContain('the service has stopped');
  });

  it('is told of in a log file of its own, to the end', async () => {
    const place = { ...env, DATA_DIR: await folder(), LOG_LEVEL: 'info' };
    const file = join(place.DATA_DIR, 'log');
    const started = { env: { ...place, LOG_FILE: file }, port: 0 };
    await (await startService(tinyService(), started)).stop();
    expect(await readFile(file, 'utf8')).toContain('the service has stopped');
  });

  it('goes on after its grace period, and says what did not end', async () => {
    const held = gate();
    const service = await startTestService(tinyService(held), {
      env: { SHUTDOWN_GRACE_MS: '200' },
    });
    const asked = service.get('/v1/environments/test/slow').catch(() => 'cut');
    const put = newMessage(service.context, PutEnvironment, { environment: 'test' });
    await service.context.bus.publish([put]);
    await eventually(() => held.entered.length === 2);
    await expect(service.stop()).rejects.toMatchObject({
      code: 'PLATFORM_STOP_TIMED_OUT',
      message: expect.stringContaining('consumers (too late)'),
    });
    expect(await asked).toBe('cut');
    held.open();
  });
});

describe('readiness', () => {
  it('needs what is required, and shows the rest', async () => {
    let broken = true;
    const watched = {
      ...tinyService(),
      module: (context: Parameters<ReturnType<typeof tinyService>['module']>[0]) => {
        context.health('view', () => ({ flags: 3 }));
        context.health('fancy', () => {
          throw new Error('not today');
        });
        context.health(
          'vital',
          () => {
            if (broken) throw new Error('not yet');
          },
          { required: true },
        );
        return tinyService().module(context, { TINY_GREETING: '', TINY_LIMIT: 1 });
      },
    };
    const service = await startTestService(watched);
    const unready = await service.anonymous().get('/health/ready');
    expect(unready.status).toBe(503);
    expect(unready.body).toEqual({
      status: 'unready',
      checks: [
        { name: 'store', status: 'up', required: true },
        { name: 'bus', status: 'up', required: false },
        { name: 'apiKeys', status: 'up', required: false },
        { name: 'view', status: 'up', required: false, details: { flags: 3 } },
        { name: 'fancy', status: 'down', required: false, message: 'not today' },
        { name: 'vital', status: 'down', required: true, message: 'not yet' },
      ],
    });
    broken = false;
    expect((await service.anonymous().get('/health/ready')).status).toBe(200);
  });

  it('ends while the store is away', async () => {
    const store = memoryStore({ clock: systemClock });
    const service = await startTestService(tinyService(), { store });
    expect((await service.get('/health/ready')).status).toBe(200);
    store.disk.away = true;
    expect((await service.get('/health/ready')).status).toBe(503);
    const change = await service.put('/v1/environments/test', {});
    expect(change.body).toMatchObject({ status: 503, code: 'STORE_UNREACHABLE' });
    expect(change.headers.get('retry-after')).toBe('1');
    expect((await service.get('/health/live')).status).toBe(200);
    store.disk.away = false;
    expect((await service.get('/health/ready')).status).toBe(200);
  });
});

describe('the bus of a service', () => {
  it('lists what its consumers gave up, shows it and replays it', async () => {
    const service = await startTestService(tinyService());
    const operator = service.as('operator');
    const poison = newMessage(service.context, PutEnvironment, {
      environment: 'test',
      description: 'poison',
    });
    await service.context.bus.publish([poison]);
    const list = async () =>
      (
        await operator.get<{ items: { id: string; group: string; replayedAt?: number }[] }>(
          '/v1/bus/dead-letters',
        )
      ).body.items;
    await eventually(async () => (await list()).length === 1);
    const [letter] = await list();
    expect(letter).toMatchObject({
      group: 'tiny-service',
      message: 'cannot be handled',
      origin: { topic: 'flag.commands', offset: '0' },
      record: { encoding: 'utf-8', value: '{"environment":"test","description":"poison"}' },
    });
    const path = `/v1/bus/dead-letters/${letter?.id}`;
    expect((await operator.get(path)).body).toMatchObject({ id: letter?.id });
    expect((await operator.post(`${path}/replay`)).status).toBe(202);
    await eventually(async () => (await list()).length === 2);
    expect((await operator.post('/v1/bus/dead-letters/none/replay')).body).toMatchObject({
      status: 404,
      code: 'BUS_DEAD_LETTER_UNKNOWN',
    });
    const { text } = await service.get('/metrics');
    expect(text).toMatch(
      /tidegate_bus_dead_letters_total\{group="tiny-service",topic="flag.commands",reason="failed"\} 2/,
    );
    expect(
      service.log.filter(
        ({ msg }) => msg === 'a message was given up and waits in the dead letters',
      ),
    ).toHaveLength(2);
  });

  it('delivers again what a consumer could not do yet, and gives nothing up', async () => {
    let times = 0;
    const service = await startTestService(
      tinyService({
        enter: (what) => {
          if (what !== 'message') return;
          times += 1;
          if (times < 3) throw new AppError('STORE_UNREACHABLE', 'not yet', { retryable: true });
        },
      }),
    );
    await service.context.bus.publish([
      newMessage(service.context, PutEnvironment, { environment: 'test', description: 'late' }),
    ]);
    await eventually(() => service.published('flag.events').length === 2);
    expect(times).toBe(3);
    expect(await service.context.bus.deadLetters.list({ limit: 1 })).toEqual([]);
  });

  it('shows lag while a handler works, in its API and its metrics', async () => {
    const held = gate();
    const service = await startTestService(tinyService(held));
    const put = (environment: string) =>
      newMessage(service.context, PutEnvironment, { environment });
    await service.context.bus.publish([put('a'), put('b')]);
    await eventually(() => held.entered.length > 0);
    const { body } = await service.get<{ items: unknown[] }>('/v1/bus/lag');
    expect(body.items).toContainEqual(
      expect.objectContaining({ group: 'tiny-service', topic: 'flag.commands', records: 2 }),
    );
    const { text } = await service.get('/metrics');
    expect(text).toContain(
      'tidegate_bus_lag_records{group="tiny-service",topic="flag.commands",partition="0"} 2',
    );
    held.open();
  });
});

it('works the same on files', async () => {
  const service = await startTestService(tinyService(), { drivers: 'sqlite' });
  const { status, body } = await service.put('/v1/environments/test', { description: 'durable' });
  expect({ status, ...body }).toMatchObject({ status: 200, outcome: 'changed' });
  expect((await service.get('/health/ready')).status).toBe(200);
});

/** Status of the answer, or why there is none. */
async function ask(
  url: string,
  options: { agent: Agent; headers: Record<string, string> },
): Promise<string> {
  return await new Promise((resolve) => {
    get(url, options, (response) => {
      response.resume().on('end', () => {
        resolve(String(response.statusCode));
      });
    }).on('error', (error: Error & { code?: string }) => {
      resolve(error.code ?? error.message);
    });
  });
}
