import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import mongoose from 'mongoose';
import { isAppError } from '@tidegate/kernel';
import { manualClock } from '@tidegate/kernel/testing';
import type { OutgoingMessage } from '@tidegate/contracts';
import { openServerIfAny } from '../../../test/servers/servers.ts';
import { agree, oneByOne } from './agreement.contract.ts';
import { documentsContract } from './documents.contract.ts';
import type { Collection, Documents } from './documents.port.ts';
import { executeContract } from './execute.contract.ts';
import { leasesContract } from './leases.contract.ts';
import { outboxContract } from './outbox.contract.ts';
import { projectionContract } from './projection.contract.ts';
import { replicas } from './replicas.memory.ts';
import { setting } from './sample-flag.contract.ts';
import { type Open, storeContract } from './store.contract.ts';
import { memoryStore } from './store.memory.ts';
import { type MongoStore, openMongoStore } from './store.mongo.ts';

jest.setTimeout(180_000); // thousands of round trips to a real server

const server = await openServerIfAny('mongodb');
const run = randomUUID().slice(0, 8);
afterAll(async () => {
  if (server && server.how !== 'native') await dropOurs(server.url);
  await server?.stop();
});

async function dropOurs(url: string): Promise<void> {
  const connection = await mongoose.createConnection(url).asPromise();
  for (const { name } of await connection.listCollections())
    if (name.startsWith(`${run}-`)) await connection.dropCollection(name);
  await connection.close();
}

const stores: MongoStore[] = [];
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

const clock = manualClock(1_000_000);
let made = 0;
const freshPrefix = (): string => {
  made += 1;
  return `${run}-${made}.`;
};

async function start(prefix: string, at = clock): Promise<MongoStore> {
  const store = await openMongoStore({
    url: server?.url ?? '',
    clock: at,
    prefix,
    timeoutMs: 60_000,
  });
  stores.push(store);
  return store;
}

/** Stores on one database; reopened, each of them is. */
const opening =
  (count: number): Open =>
  async () => {
    const at = manualClock(1_000_000);
    const prefix = freshPrefix();
    const startAll = () => Promise.all(Array.from({ length: count }, () => start(prefix, at)));
    let all = await startAll();
    return {
      store: replicas(all),
      clock: at,
      reopen: async ({ raiseEpoch } = { raiseEpoch: false }) => {
        if (raiseEpoch) await all[0]?.raiseEpoch();
        await Promise.all(all.map((store) => store.close()));
        all = await startAll();
        return replicas(all);
      },
    };
  };

const texts: Collection<string> = { name: 'texts', schemaVersion: 1, index: () => ({}) };
const message = (id: string): OutgoingMessage => ({
  type: 'FlagDisabled',
  key: 'k',
  topic: Number(id) % 3 === 0 ? 'kills' : 'flag.events',
  data: {},
  metadata: { id, source: 'spec', at: 1_000, actor: 'spec', correlationId: 'c-1' },
});

const where = server ? describe : describe.skip;

where('the MongoDB store', () => {
  const open = opening(1);
  storeContract(open);
  documentsContract(open);
  projectionContract(open);
  leasesContract(open);
  executeContract(open);
  outboxContract(open);

  it('is not made where it must exist', async () => {
    const prefix = freshPrefix();
    const options = { url: server?.url ?? '', clock, prefix, mustExist: true };
    await expect(openMongoStore(options)).rejects.toMatchObject({ code: 'STORE_MISSING' });
    await start(prefix);
    const store = await openMongoStore(options);
    stores.push(store);
    expect(store.epoch).toBe(1);
  });

  it('is the same store as the one in memory, whatever is written and then read', async () => {
    const store = await start(freshPrefix());
    await agree(store, memoryStore({ clock }), oneByOne, { numRuns: 15 });
  });

  it('takes states and messages as they are: keys with dots and dollars, odd numbers, empty texts', async () => {
    const states = (await start(freshPrefix())).documents<unknown>({
      ...texts,
      index: () => ({ 'a.b': 1, $c: true, '': '' }),
    });
    const state = { 'a.b': { $set: [1e300, -0.5, 2 ** 53, null, '', '\u0000', '\ud800', {}] } };
    const saved = await states.save('a/b.c', { state, version: 1, outbox: [] }, 0);
    const found = await states.load('a/b.c');
    expect(found).toEqual(saved);
    expect(JSON.stringify(found?.state)).toBe(JSON.stringify(state));
    for (const index of [{ 'a.b': 1 }, { $c: true }, { '': '' }])
      expect(await states.list({ where: index, limit: 1 })).toHaveLength(1);
  });

  it('refuses more debts than a server takes in one document, and takes on new ones when some are paid', async () => {
    const documents = (await start(freshPrefix())).documents(texts);
    const large = { ...message('1'), data: 'x'.repeat(1_000_000) };
    const state = 'x'.repeat(8_000_000);
    const change = { state, version: 1, outbox: [large, large, large, large] };
    await documents.save('a', change, 0);
    await expect(documents.save('a', change, 1)).rejects.toMatchObject({
      code: 'STORE_DOCUMENT_TOO_LARGE',
      message: expect.stringContaining('8 messages that it still owes'),
    });
    await documents.clear('a', [1, 2]);
    await expect(documents.save('a', { ...change, outbox: [large] }, 1)).resolves.toBeDefined();
  });

  it('works in nothing but its collections', async () => {
    const prefix = freshPrefix();
    const [one, other] = await Promise.all([start(prefix), start(freshPrefix())]);
    await one.documents(texts).save('a', { state: 'A', version: 1, outbox: [] }, 0);
    expect(await other.documents(texts).load('a')).toBeUndefined();
  });

  it('refuses everything once it is closed', async () => {
    const store = await start(freshPrefix());
    await store.close();
    await store.close();
    const closed = { code: 'STORE_UNREACHABLE', retryable: true };
    await expect(store.documents(texts).load('a')).rejects.toMatchObject(closed);
    await expect(store.check()).rejects.toMatchObject(closed);
  });
});

where('two replicas on one MongoDB', () => {
  const open = opening(2);
  storeContract(open);
  documentsContract(open);
  projectionContract(open);
  leasesContract(open);

  it('count every command once, each delivered to both', async () => {
    const { start: process, ask } = await setting(opening(1));
    const prefix = freshPrefix();
    const both = await Promise.all([start(prefix), start(prefix)]);
    const processes = both.map((store) => process({ store }));
    const commands = Array.from({ length: 30 }, (_, n) => ask('SetExposure', `c-${n}`));
    const outcomes = await Promise.all(
      commands.flatMap((command) => processes.map((each) => each.run(command))),
    );
    expect(outcomes.filter(({ repeated }) => repeated)).toHaveLength(30);
    for (const { aggregate } of processes) {
      const document = await aggregate.documents.load('production/checkout');
      expect(document).toMatchObject({ version: 30, outbox: [] });
      expect(new Set(document?.state.changedBy).size).toBe(30);
      expect(await aggregate.documents.owing(1)).toEqual([]);
    }
  });

  it('owe what one saved and nobody cleared, whoever saves and clears at the same time', async () => {
    const prefix = freshPrefix();
    const both = await Promise.all([start(prefix), start(prefix)]);
    const [one, other] = [both[0].documents(texts), both[1].documents(texts)];
    const cleared = new Set<number>();
    const clearing: Promise<void>[] = [];
    const saveNext = async (documents: Documents<string>, n: number): Promise<void> => {
      const known = await documents.load('a');
      const outbox = [message(String(n)), message(String(n + 100))];
      const change = { state: `${n}`, version: n, outbox };
      try {
        const saved = await documents.save('a', change, known?.token ?? 0);
        const [first] = saved.outbox.slice(-2);
        if (first) {
          cleared.add(first.seq);
          clearing.push(one.clear('a', [first.seq]), other.clear('a', [first.seq]));
        }
      } catch (error) {
        if (!isAppError(error, 'STORE_VERSION_CONFLICT')) throw error;
        await saveNext(documents, n);
      }
    };
    await Promise.all(Array.from({ length: 30 }, (_, n) => saveNext(n % 2 === 0 ? one : other, n)));
    await Promise.all(clearing);
    const found = await one.load('a');
    expect(found).toMatchObject({ token: 30 });
    expect(found?.outbox.map(({ seq }) => seq)).toEqual(
      Array.from({ length: 60 }, (_, n) => n + 1).filter((seq) => !cleared.has(seq)),
    );
    expect(await other.owing(1)).toEqual(['a']);
    await other.clear(
      'a',
      Array.from({ length: 60 }, (_, n) => n + 1),
    );
    expect(await one.owing(1)).toEqual([]);
    expect((await one.load('a'))?.outbox).toEqual([]);
  });

  it('share out what is due: all of it, nothing twice', async () => {
    const prefix = freshPrefix();
    const both = await Promise.all([start(prefix), start(prefix)]);
    const jobs = { name: 'jobs', schemaVersion: 1, index: (dueAt: number) => ({ dueAt }) };
    const [one, other] = [both[0].documents(jobs), both[1].documents(jobs)];
    await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        one.save(`job-${n}`, { state: n, version: 1, outbox: [] }, 0),
      ),
    );
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? one : other).claimDue(1_000, 50, 7)),
    );
    const claimed = claims.flat();
    expect(claimed).toHaveLength(50);
    expect(new Set(claimed).size).toBe(50);
  });

  it('find by the present fields what a replica of the release before has saved meanwhile', async () => {
    const prefix = freshPrefix();
    const [before, after] = await Promise.all([start(prefix), start(prefix)]);
    const old = before.documents<{ n: number }>({
      ...texts,
      index: ({ n }) => ({ n, dueAt: n }),
    });
    const present = after.documents<{ count: number }>({
      ...texts,
      schemaVersion: 2,
      upgrade: { 1: (state) => ({ count: (state as { n: number }).n }) },
      index: ({ count }) => ({ count, dueAt: count + 5 }),
    });
    await old.save('a', { state: { n: 1 }, version: 1, outbox: [] }, 0);
    expect(await present.list({ where: { count: 1 }, limit: 1 })).toHaveLength(1);
    await old.save('a', { state: { n: 2 }, version: 2, outbox: [] }, 1);
    expect(await present.list({ where: { count: 2 }, limit: 1 })).toHaveLength(1);
    expect(await present.claimDue(6, 1, 1)).toEqual([]);
    expect(await present.claimDue(7, 1, 1)).toEqual(['a']);
    expect(await old.load('a')).toMatchObject({ state: { n: 2 }, token: 2 });
  });
});
