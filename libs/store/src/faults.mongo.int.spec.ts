import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { isAppError } from '@tidegate/kernel';
import { eventually, manualClock } from '@tidegate/kernel/testing';
import { openServerIfAny } from '../../../test/servers/servers.ts';
import type { Collection } from './documents.port.ts';
import type { Store } from './store.port.ts';
import { type MongoStore, openMongoStore } from './store.mongo.ts';

/** Half a minute in the nightly run. */
const AWAY_MS = process.env['NIGHTLY'] === undefined ? 2_000 : 30_000;
jest.setTimeout(120_000 + AWAY_MS); // a server is started, stopped and waited for

const TIMEOUT_MS = 1_000;
const folder = await mkdtemp(join(tmpdir(), 'tidegate-store-'));
const server = await openServerIfAny('mongodb', { own: true, folder });
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const stores: MongoStore[] = [];
afterEach(async () => {
  server?.resume();
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

let made = 0;
const freshPrefix = (): string => {
  made += 1;
  return `test-${made}.`;
};

async function start(
  prefix = freshPrefix(),
  url = server?.url ?? '',
  timeoutMs = TIMEOUT_MS,
): Promise<MongoStore> {
  const clock = manualClock(1_000_000);
  const store = await openMongoStore({ url, clock, prefix, timeoutMs });
  stores.push(store);
  return store;
}

/** A store in use, with a document `a`. */
const startedWithA = (prefix = freshPrefix()): Promise<MongoStore> =>
  eventually(async () => {
    const store = await start(prefix);
    await eventually(works(store), PATIENCE_MS);
    const documents = store.documents(texts);
    if ((await documents.load('a')) === undefined)
      await documents.save('a', { state: 'A', version: 1, outbox: [] }, 0);
    return store;
  }, PATIENCE_MS);

const texts: Collection<string> = {
  name: 'texts',
  schemaVersion: 1,
  index: (text) => ({ text, dueAt: 1 }),
};
const message = {
  type: 'FlagDisabled',
  key: 'k',
  topic: 'flag.events',
  data: {},
  metadata: { id: 'm', source: 'spec', at: 1, actor: 'spec', correlationId: 'c' },
};
const unreachable = { code: 'STORE_UNREACHABLE', retryable: true };
/** Where a server that is well is met, a busy machine may let one call be late: it is made again, as a service does. */
const PATIENCE_MS = 30_000;

const everyCall: readonly ((store: Store) => Promise<unknown>)[] = [
  (store) => store.check(),
  (store) => store.documents(texts).load('a'),
  (store) => store.documents(texts).save('a', { state: 'B', version: 2, outbox: [message] }, 1),
  (store) => store.documents(texts).clear('a', [1]),
  (store) => store.documents(texts).owing(10),
  (store) => store.documents(texts).list({ limit: 10 }),
  (store) => store.documents(texts).claimDue(1, 1, 10),
  (store) => store.projection('log').append([{ id: 'a', version: 1, key: 'k', at: 1, record: 1 }]),
  (store) => store.projection('log').read('a', { limit: 10 }),
  (store) => store.projection('log').last('a'),
  (store) => store.leases.claim('run', 'me', 1_000),
  (store) => store.leases.release('run', 'me'),
];

/** All at once, and twice, so that what the first timeouts leave behind is met as well. */
async function expectAway(store: Store): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    const began = performance.now();
    const results = await Promise.allSettled(everyCall.map((call) => call(store)));
    expect(performance.now() - began).toBeLessThan(4 * TIMEOUT_MS);
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: unreachable });
  }
}

const works = (store: Store) => async (): Promise<boolean> => {
  const results = await Promise.allSettled(everyCall.map((call) => call(store)));
  return results.every(
    (result) =>
      result.status === 'fulfilled' || isAppError(result.reason, 'STORE_VERSION_CONFLICT'),
  );
};

/** Saves on and on; after a failure it looks what is there, as whoever redelivers does. */
async function write(store: Store, id: string, goOn: () => boolean, onSaved: (n: number) => void) {
  const documents = store.documents(texts);
  const errors: unknown[] = [];
  for (let token = 0; goOn();)
    try {
      const change = { state: `${token + 1}`, version: token + 1, outbox: [message] };
      await documents.save(id, change, token);
      token += 1;
      onSaved(token);
    } catch (error) {
      errors.push(error);
      token = await loadedToken(store, id, goOn, errors);
    }
  return errors;
}

async function loadedToken(store: Store, id: string, goOn: () => boolean, errors: unknown[]) {
  while (goOn())
    try {
      return (await store.documents(texts).load(id))?.token ?? 0;
    } catch (error) {
      errors.push(error);
    }
  return 0;
}

(server ? describe : describe.skip)('a MongoDB that is away', () => {
  it.each([
    ['hangs', async () => server?.freeze(), async () => server?.resume()],
    ['died', () => server?.kill(), () => server?.restart()],
  ])(
    '%s: every call rejects in time, and works by itself when it is back',
    async (_how, end, back) => {
      const store = await startedWithA();
      await end();
      await expectAway(store);
      await back();
      await eventually(works(store), PATIENCE_MS);
      const found = await eventually(() => store.documents(texts).load('a'), PATIENCE_MS);
      expect(found.token).toBeGreaterThanOrEqual(1);
    },
  );

  it('is not there at the start: that is said in time, and the next start finds it', async () => {
    await server?.kill();
    const began = performance.now();
    await expect(start()).rejects.toMatchObject(unreachable);
    expect(performance.now() - began).toBeLessThan(6 * TIMEOUT_MS);
    await server?.restart();
    await eventually(async () => works(await start())(), PATIENCE_MS);
  });

  it.each([
    ['killed', () => server?.kill()],
    ['stopped', () => server?.stop()],
    ['frozen', async () => server?.freeze()],
  ])('was %s under load: what it had acknowledged is there, whole', async (_how, end) => {
    const prefix = freshPrefix();
    const both = [await startedWithA(prefix), await startedWithA(prefix)] as const;
    const acknowledged = new Map<string, number>();
    let saves = 0;
    let isOver = false;
    const writers = Array.from({ length: 8 }, (_, n) =>
      write(
        both[n % 2] as Store,
        `w-${n}`,
        () => !isOver,
        (token) => {
          acknowledged.set(`w-${n}`, token);
          saves += 1;
        },
      ),
    );
    await eventually(() => saves > 100, PATIENCE_MS);
    await end();
    const since = performance.now();
    await expect(both[0].check()).rejects.toMatchObject(unreachable);
    await eventually(() => performance.now() - since > AWAY_MS, AWAY_MS + 5_000);
    server?.resume();
    await server?.restart();
    const savesBefore = saves;
    await eventually(() => saves > savesBefore + 100, PATIENCE_MS);
    isOver = true;
    const errors = (await Promise.all(writers)).flat();
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toMatchObject({ retryable: true });

    const documents = (await start(prefix, server?.url, 30_000)).documents(texts);
    for (const [id, token] of acknowledged) {
      const found = await documents.load(id);
      expect(found?.token).toBeGreaterThanOrEqual(token);
      expect(found).toMatchObject({ version: found?.token, state: String(found?.token) });
      expect(found?.outbox.map(({ seq }) => seq)).toEqual(
        Array.from({ length: Number(found?.token) }, (_, n) => n + 1),
      );
    }
  });
});

(server ? describe : describe.skip)('a MongoDB that cannot hold a store', () => {
  it('is refused when it loses updates of one document', async () => {
    // Without the relay that our server stands behind, FerretDB 1 does.
    const socket = encodeURIComponent(join(folder, 'data', 'ferretdb.sock'));
    await expect(start(freshPrefix(), `mongodb://${socket}/tidegate`)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      retryable: false,
      message: expect.stringContaining('updates of one document'),
    });
  });

  it('is refused when a newer release has laid it out', async () => {
    const prefix = freshPrefix();
    await start(prefix);
    const connection = await mongoose.createConnection(server?.url ?? '').asPromise();
    const meta = connection.collection<{ _id: string }>(`${prefix}store.meta`);
    await meta.updateOne({ _id: 'store' }, { $set: { layout: 99 } });
    await connection.close();
    await expect(start(prefix)).rejects.toMatchObject({
      code: 'STORE_SCHEMA_NEWER',
      message: expect.stringContaining('layout 99'),
    });
  });
});

it.each([
  ['no address of a MongoDB', 'http://127.0.0.1:1/tidegate'],
  ['an address that cannot be read', 'mongodb://ann:secret@:x/tidegate'],
])('refuses %s, and does not repeat it', async (_what, url) => {
  const refused = await start('', url).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'STORE_FAILED', retryable: false });
  expect(String(refused)).not.toContain('secret');
});
