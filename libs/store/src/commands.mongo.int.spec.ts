import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import mongoose, { type mongo } from 'mongoose';
import { manualClock } from '@tidegate/kernel/testing';
import { openServerIfAny } from '../../../test/servers/servers.ts';
import type { Collection } from './documents.port.ts';
import { type MongoStore, openMongoStore } from './store.mongo.ts';

jest.setTimeout(60_000);

/** All that a server must know once the store is made: what every MongoDB has had for long, and FerretDB as well. */
const COMMANDS = ['createIndexes', 'find', 'findAndModify', 'insert', 'update'];
const OPERATORS = new Set('$all $gt $in $lt $lte $each $inc $pullAll $push $set $unset'.split(' '));
/** In these are no operators, but words of the driver's. */
const ENVELOPE = new Set(['$db', '$readPreference', '$clusterTime']);

const server = await openServerIfAny('mongodb');
const prefix = `c${randomUUID().slice(0, 8)}.`;

interface Seen {
  readonly name: string;
  readonly command: mongo.Document;
}
interface Found {
  readonly collection: string;
  readonly filter: mongo.Document;
  readonly sort: mongo.Document;
}

const texts: Collection<string> = {
  name: 'texts',
  schemaVersion: 2,
  upgrade: { 1: String },
  index: (text) => ({ text, dueAt: 1 }),
};
const message = (topic: string, id: string) => ({
  type: 'FlagDisabled',
  key: 'k',
  topic,
  data: {},
  metadata: { id, source: 'spec', at: 1, actor: 'spec', correlationId: 'c' },
});

/** Everything that a store can be asked for. */
async function useWhole(store: MongoStore, other: MongoStore): Promise<void> {
  const documents = store.documents(texts);
  const conflict = { code: 'STORE_VERSION_CONFLICT' };
  const outbox = [message('kills', 'm-1'), message('flag.events', 'm-2')];
  const mark = {
    id: 'm-0',
    source: 'spec',
    at: 1,
    answer: { outcome: 'changed' as const, version: 1 },
  };
  await documents.save('a', { state: 'A', version: 1, outbox, mark }, 0);
  await documents.save('a', { state: 'B', version: 2, outbox, mark: { ...mark, id: 'm' } }, 1);
  await documents.save('b', { state: 'B', version: 1, outbox: [] }, 0);
  await documents.save('b', { state: 'C', version: 2, outbox: [] }, 1);
  await expect(
    documents.save('a', { state: 'C', version: 3, outbox: [] }, 1),
  ).rejects.toMatchObject(conflict);
  await expect(
    documents.save('a', { state: 'C', version: 1, outbox: [] }, 0),
  ).rejects.toMatchObject(conflict);
  await documents.owing(10);
  await other.documents(texts).clear('a', [1, 2]);
  await documents.load('a');
  await documents.list({ limit: 10 });
  await documents.list({ where: { text: 'B' }, after: 'a', limit: 10 });
  await documents.claimDue(1, 1, 10);
  const log = store.projection('log');
  const entry = { id: 'a', version: 1, key: 'k', at: 1, record: 1 };
  await log.append([entry]);
  await log.append([entry, { ...entry, key: 'l' }]);
  await log.read('a', { limit: 1 });
  await log.read('a', { after: 0, limit: 10 });
  await log.read('a', { before: 9, limit: 10 });
  await log.last('a');
  await store.leases.claim('run', 'me', 1_000);
  await store.leases.claim('run', 'me', 1_000);
  await store.leases.release('run', 'me');
  await store.check();
  await store.raiseEpoch();
}

const wordsOf = (value: unknown): readonly string[] =>
  Array.isArray(value)
    ? value.flatMap(wordsOf)
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, inner]) => [
          ...(key.startsWith('$') && !ENVELOPE.has(key) ? [key] : []),
          ...wordsOf(inner),
        ])
      : [];

(server ? describe : describe.skip)('what is asked of a MongoDB', () => {
  const seen: Seen[] = [];
  const stores: MongoStore[] = [];
  let db: () => mongo.Db;

  const start = async (): Promise<MongoStore> => {
    const url = new URL(server?.url ?? '');
    url.searchParams.set('monitorCommands', 'true');
    const options = { url: url.href, clock: manualClock(1_000_000), prefix, timeoutMs: 30_000 };
    const store = await openMongoStore(options);
    stores.push(store);
    const connection = mongoose.connections.at(-1);
    if (!connection) throw new Error('The store has no connection.');
    const client = connection.getClient();
    db = () => client.db(connection.name);
    client.on('commandStarted', ({ commandName: name, command }) => seen.push({ name, command }));
    return store;
  };

  beforeAll(async () => {
    await useWhole(await start(), await start());
  });
  afterAll(async () => {
    if (server?.how !== 'native')
      for (const { name } of await db().listCollections({}, { nameOnly: true }).toArray())
        if (name.startsWith(prefix)) await db().dropCollection(name);
    await Promise.all(stores.map((store) => store.close()));
    await server?.stop();
  });

  it('are these commands and operators, and no others', () => {
    expect([...new Set(seen.map(({ name }) => name))].toSorted()).toEqual(COMMANDS);
    const words = new Set(seen.flatMap(({ command }) => wordsOf(command)));
    expect([...words].filter((word) => !OPERATORS.has(word))).toEqual([]);
  });

  /** What is looked for, and by what an update finds what it changes. */
  const lookedFor = (): readonly Found[] =>
    seen.flatMap(({ name, command }): Found[] => {
      const collection = String(command[name]);
      if (name === 'find')
        return [{ collection, filter: command['filter'] ?? {}, sort: command['sort'] ?? {} }];
      const updates = name === 'update' ? (command['updates'] as { q: mongo.Document }[]) : [];
      return updates.map(({ q }) => ({ collection, filter: q, sort: {} }));
    });

  it('finds everything by an index that was made at the start', async () => {
    const indexes = new Map<string, readonly string[][]>();
    for (const collection of new Set(lookedFor().map((each) => each.collection)))
      indexes.set(
        collection,
        (await db().collection(collection).indexes()).map(({ key }) => Object.keys(key)),
      );
    expect(lookedFor().length).toBeGreaterThan(20);
    for (const { collection, filter, sort } of lookedFor()) {
      const wanted = new Set([...Object.keys(filter), ...Object.keys(sort)]);
      const known = indexes.get(collection) ?? [];
      const first = known.map(([field = '']) => field).filter((field) => wanted.has(field));
      expect({ collection, filter, first }).not.toMatchObject({ first: [] });
    }
  });

  it('scans no collection, says a MongoDB; other servers explain themselves in other words', async () => {
    const { modules, ferretdbVersion } = await db().admin().buildInfo();
    for (const { collection, filter, sort } of lookedFor()) {
      const plan = await db().collection(collection).find(filter).sort(sort).explain();
      expect(plan).toHaveProperty('queryPlanner');
      if (modules !== undefined && ferretdbVersion === undefined)
        expect(JSON.stringify(plan)).not.toContain('COLLSCAN');
    }
  });
});
