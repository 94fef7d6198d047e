import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';
import { eventually } from '@tidegate/kernel/testing';
import { editOf, type Filter, restore } from '@tidegate/migration';
import { openServerIfAny } from '../../../../test/servers/servers.ts';
import { targetContract } from './target.contract.ts';
import { openMongoTarget } from './target.mongo.ts';
import type { Selection, Target } from './target.port.ts';
import type { TargetKind } from './world.contract.ts';

jest.setTimeout(60_000);

const server = await openServerIfAny('mongodb');
const url = server?.url ?? '';
const { Binary, Double, Long, ObjectId, UUID } = mongoose.mongo.BSON;

let direct: mongoose.Connection;
const cleanUp: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  direct = await mongoose.createConnection(url, { ignoreUndefined: true }).asPromise();
});
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});
afterAll(async () => {
  await direct.close();
  await server?.stop();
});

const database = (): mongo.Db => direct.getClient().db(direct.name);

const target = (access: 'read' | 'write', at = url): Target => {
  const opened = openMongoTarget(at, access);
  cleanUp.push(() => opened.close());
  return opened;
};

/** A collection with these documents, seen by other programs, and for reading and writing. */
async function opened(documents: readonly mongo.Document[]) {
  const name = `things-${randomUUID().slice(0, 8)}`;
  const things = await database().createCollection(name);
  cleanUp.push(() => things.drop());
  if (documents.length > 0) await things.insertMany(documents.map((each) => ({ ...each })));
  const selection: Selection = { collection: name, key: undefined, filters: [] };
  return { things, selection, read: target('read'), write: target('write') };
}

const at = (path: readonly string[]): string => path.join('.');

const kind: TargetKind = {
  key: '_id',
  keys: {
    default: [3, 1, 2, 10, -5],
    identifiers: ['68b0ad5675b23358753b7766', '08b0ad5675b23358753b7766'].map(
      (hex) => new ObjectId(hex),
    ),
    mixed: [
      5,
      0.5,
      2n ** 53n + 1n,
      -(2n ** 60n),
      'text',
      '$odd',
      '$int:7',
      '5',
      '🐎',
      new ObjectId('68b0ad5675b23358753b7766'),
      new UUID('c1673315-abf0-438b-b2fd-7f4650d67fe8'),
      new Binary(Buffer.from([1, 2, 3]), 5),
      new Date('1969-12-31T23:59:59.999Z'),
      new Date('2020-01-01T00:00:00Z'),
      true,
      { region: 'eu', n: 1 },
    ],
  },
  date: (iso) => new Date(iso),
  keepsNaN: false, // FerretDB 1.24 hangs up on it
  nestsLists: false, // nor has it these
  hugeBytes: 6_000_000,
  hasValidators: false, // nor collMod
  open: async (rows) => {
    const { things, selection, read, write } = await opened(rows);
    await things.createIndex({ u: 1 }, { name: 'things_u', unique: true });
    return {
      read,
      write,
      collection: selection.collection,
      edit: async (_id, path, value) => {
        const change =
          value === undefined ? { $unset: { [at(path)]: '' } } : { $set: { [at(path)]: value } };
        await things.updateOne({ _id } as mongo.Document, change);
      },
      insert: async (row) => void (await things.insertOne({ ...row })),
      remove: async (_id) => void (await things.deleteOne({ _id } as mongo.Document)),
      index: async (name, field) => void (await things.createIndex({ [field]: 1 }, { name })),
    };
  },
};

(server ? describe : describe.skip)('a MongoDB target', () => {
  targetContract(kind);

  const everyKind = {
    _id: 'all',
    int: 5,
    double: new Double(5),
    long: Long.fromNumber(5),
    list: [new Double(1), { long: Long.fromNumber(2) }],
    doc: { double: new Double(3), '10': 1, '2': 2, '': 'empty' },
    at: new Date('1899-12-31T23:59:59.999Z'),
    id: new ObjectId('68b0ad5675b23358753b7766'),
    uuid: new UUID('c1673315-abf0-438b-b2fd-7f4650d67fe8'),
    bytes: new Binary(Buffer.from([1, 2, 3]), 128),
    pattern: new mongoose.mongo.BSON.BSONRegExp('^a', 'i'),
    moment: new mongoose.mongo.BSON.Timestamp({ t: 7, i: 1 }),
    none: null,
    yes: true,
  };
  /** With the type of each value, and in the order of its fields. */
  const bytesIn = async (things: mongo.Collection): Promise<readonly string[]> =>
    (await things.find({}, { raw: true }).sort({ _id: 1 }).toArray()).map((each) =>
      (each as object as Buffer).toString('hex'),
    );

  it('keeps the type of each value: packed, and written back after a change', async () => {
    const { things, selection, read, write } = await opened([everyKind]);
    const before = await bytesIn(things);
    const [row] = await read.page(selection, undefined, 1);
    expect(Buffer.from(read.pack([row!])).toString('hex')).toBe(before[0]);
    const [kept] = read.unpack(read.pack([row!]));
    expect(kept).toEqual(row);
    const doc = { ...(row!['doc'] as object), double: 4 };
    const there = editOf(row!, { ...row, int: 6, double: 7, long: 8, list: [2, { long: 3 }], doc });
    expect(await write.write(selection, [there])).toEqual(['written']);
    const now = await things.findOne({}, { promoteValues: false });
    expect(now).toMatchObject({ double: new Double(7), long: Long.fromNumber(8) });
    expect(now).toMatchObject({ list: [new Double(2), { long: Long.fromNumber(3) }] });
    const [changed] = await read.page(selection, undefined, 1);
    const back = editOf(changed!, kept!);
    expect(await write.write(selection, [back])).toEqual(['written']);
    expect(await bytesIn(things)).toEqual(before);
  });

  it('gives back fields that were taken away with the types that they had', async () => {
    const { things, selection, read, write } = await opened([
      { _id: 1, double: new Double(5), long: Long.fromNumber(5), other: 1 },
    ]);
    const [row] = await read.page(selection, undefined, 1);
    const kept = read.unpack(read.pack([row!]));
    const { double: _double, long: _long, ...less } = row!;
    expect(await write.write(selection, [editOf(row!, less)])).toEqual(['written']);
    const [now] = await read.page(selection, undefined, 1);
    const back = restore(now!, kept[0]!, [['double'], ['long']]);
    expect(await write.write(selection, [back])).toEqual(['written']);
    const { double, long } = (await things.findOne({}, { promoteValues: false }))!;
    expect([double, long]).toEqual([new Double(5), Long.fromNumber(5)]);
  });

  it('compares objects in the order in which they are kept, numbers as names or not', async () => {
    const doc = new Map<string, unknown>([
      ['10', 'ten'],
      ['2', 'two'],
      ['x', { b: 1, a: 2 }],
    ]);
    const { things, selection, read, write } = await opened([
      { _id: 1, doc },
      { _id: 2, doc },
    ]);
    const rows = await read.page(selection, undefined, 2);
    await things.updateOne({ _id: 2 } as mongo.Document, { $set: { 'doc.2': 'edited' } });
    const edits = rows.map((row) => editOf(row, { ...row, a: 1 }));
    expect(await write.write(selection, edits)).toEqual(['written', 'conflict']);
  });

  it('takes a list for what it is: neither its items nor what is behind them', async () => {
    const { selection, read } = await opened([
      { _id: 1, a: 5 },
      { _id: 2, a: [5] },
      { _id: 3, a: [{ b: 5 }] },
      { _id: 4, a: { b: 5 } },
      { _id: 5, a: { b: [5] } },
    ]);
    const ids = async (filter: Filter) =>
      (await read.page({ ...selection, filters: [filter] }, undefined, 9)).map(({ _id }) => _id);
    expect(await ids({ a: { equals: 5 } })).toEqual([1]);
    expect(await ids({ a: { not: 5 } })).toEqual([2, 3, 4, 5]);
    expect(await ids({ 'a.b': { equals: 5 } })).toEqual([4]);
    expect(await ids({ 'a.b': { exists: false } })).toEqual([1, 2, 3]);
    expect(await ids({ 'a.b': { atLeast: 1 } })).toEqual([4]);
  });

  it('does not take a value for the list that holds it', async () => {
    const { things, selection, read, write } = await opened([
      { _id: 1, a: 5, o: { x: 1 } },
      { _id: 2, a: 5, o: { x: 1 } },
    ]);
    const rows = await read.page(selection, undefined, 2);
    await things.updateOne({ _id: 1 } as mongo.Document, { $set: { a: [5] } });
    await things.updateOne({ _id: 2 } as mongo.Document, { $set: { o: [{ x: 1 }] } });
    const edits = rows.map((row) => editOf(row, { ...row, b: 1 }));
    expect(await write.write(selection, edits)).toEqual(['conflict', 'conflict']);
  });

  it('reads nothing where the key is not unique', async () => {
    const { selection, read } = await opened([
      { _id: 1, code: 'a' },
      { _id: 2, code: 'b' },
      { _id: 3, code: 'b' },
    ]);
    const byCode: Selection = { ...selection, key: 'code' };
    const unusable = {
      code: 'MIGRATION_KEY_UNUSABLE',
      message: expect.stringContaining('several documents '),
    };
    await expect(read.page(byCode, undefined, 3)).rejects.toMatchObject(unusable);
    // The other one would be passed over by the next page.
    await expect(read.page(byCode, undefined, 2)).rejects.toMatchObject(unusable);
    await expect(read.find(byCode, ['b'])).rejects.toMatchObject(unusable);
    expect(await read.find(byCode, ['a'])).toEqual([{ _id: 1, code: 'a' }]);
  });

  it('refuses an integer that it would keep as another one', async () => {
    const { things, selection, write } = await opened([{ _id: 1 }, { _id: 2 }]);
    const rows = await write.page(selection, undefined, 2);
    const values = [{ in: [2n ** 70n] }, -(2n ** 63n)];
    const edits = rows.map((row, index) => editOf(row, { ...row, n: values[index] }));
    expect(await write.write(selection, edits)).toEqual([
      { refused: 'the field "n" has an integer of more than 64 bits' },
      'written',
    ]);
    expect(await things.countDocuments({ n: Long.MIN_VALUE })).toBe(1);
  });

  it('refuses names that no update can name, and writes the rest', async () => {
    const { selection, read, write } = await opened([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    const rows = await read.page(selection, undefined, 3);
    const names = ['a.b', '$a', 'a'];
    const edits = rows.map((row, index) => editOf(row, { ...row, [names[index] ?? '']: 1 }));
    const refused = { refused: expect.stringContaining('no update can name') };
    expect(await write.write(selection, edits)).toEqual([refused, refused, 'written']);
  });

  it.each([
    ['null', { k: null }],
    ['absent', {}],
    ['a list', { k: [1] }],
    ['BSONRegExp', { k: new mongoose.mongo.BSON.BSONRegExp('a') }],
  ])('does not go on from a key that is %s', async (what, document) => {
    const { selection, read } = await opened([{ _id: 1, ...document }]);
    await expect(read.page({ ...selection, key: 'k' }, undefined, 9)).rejects.toMatchObject({
      code: 'MIGRATION_KEY_UNUSABLE',
      message: expect.stringContaining(what),
    });
  });

  it('says which collection or database there is not', async () => {
    const { selection, read } = await opened([]);
    const missing = {
      code: 'MIGRATION_TARGET_FAILED',
      message: expect.stringContaining('nothings'),
    };
    const nothings = { ...selection, collection: 'nothings' };
    await expect(read.count(nothings)).rejects.toMatchObject(missing);
    await expect(read.page(nothings, undefined, 1)).rejects.toMatchObject(missing);
    const none = target('read', 'mongodb://127.0.0.1:1');
    await expect(none.server()).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
      message: expect.stringContaining('names no database'),
    });
  });

  it.each([
    ['MIGRATION_TARGET_UNREACHABLE', 'mongodb://user:s3cret@127.0.0.1:1/shop', true],
    ['MIGRATION_TARGET_FAILED', 'mongodb://user:s3 cret@127.0.0.1:1:1/shop', false],
    ['MIGRATION_TARGET_FAILED', 'mongodb://user:s3cret@127.0.0.1:1/shop?w=x&nonsense=1', false],
  ])(
    'is %s where nobody answers %s, and keeps the password to itself',
    async (code, wrong, retryable) => {
      const error = await target('read', wrong)
        .server()
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code, retryable });
      expect(inspect(error, { depth: 9 })).not.toContain('s3');
    },
  );

  it('says so when the credentials are wrong', async () => {
    const wrong = target('read', url.replace('//', '//user:s3cret@'));
    await expect(wrong.server()).rejects.toMatchObject({ code: 'MIGRATION_TARGET_DENIED' });
  });

  it('connects again after the server was away', async () => {
    const own = await openServerIfAny('mongodb', { own: true });
    cleanUp.push(async () => own?.stop());
    const read = target('read', `${own?.url}?serverSelectionTimeoutMS=500`);
    await read.server();
    await own?.kill();
    const gone = { code: 'MIGRATION_TARGET_UNREACHABLE', retryable: true };
    await expect(read.server()).rejects.toMatchObject(gone);
    await own?.restart();
    expect(await eventually(() => read.server())).toMatch(/FerretDB|MongoDB/);
  });

  describe('for reading', () => {
    /** What every method sends. */
    async function everything(
      read: Target,
      selection: Selection,
      sent: () => void,
    ): Promise<readonly string[]> {
      const names: string[] = [];
      await read.server();
      const client = mongoose.connections.at(-1)!.getClient();
      client.on('commandStarted', ({ commandName }) => names.push(commandName));
      const rows = await read.page(selection, undefined, 2);
      await read.page(selection, read.keyOf(selection, rows[1]!), 2);
      await read.find(selection, [1, 2]);
      await read.count(selection);
      await read.readBy(selection);
      await read.health();
      read.unpack(read.pack(rows));
      const index = { name: 'i', fields: { a: 1 } } as const;
      const schema = {
        id: 's',
        target: 't',
        phase: 'schema',
        ...selection,
        indexes: [index],
      } as const;
      await read.schema.missing(schema);
      const failed = { code: 'MIGRATION_TARGET_FAILED' };
      await expect(
        read.write(selection, [editOf(rows[0]!, { ...rows[0], a: 1 })]),
      ).rejects.toMatchObject(failed);
      await expect(read.schema.ensure(schema)).rejects.toMatchObject(failed);
      sent();
      return names;
    }

    it('sends no command that writes, whatever it is asked', async () => {
      const { things, selection, read } = await opened([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
      const before = await bytesIn(things);
      const names = await everything(read, selection, () => undefined);
      const reads = [
        'aggregate',
        'buildInfo',
        'dbStats',
        'explain',
        'find',
        'hello',
        'listCollections',
        'listIndexes',
        'serverStatus',
      ];
      expect(reads).toEqual(
        expect.arrayContaining([...new Set(names)].filter((each) => each !== 'createIndexes')),
      );
      expect(names.filter((each) => each === 'find').length).toBeGreaterThan(3);
      expect(await bytesIn(things)).toEqual(before);
      expect(await things.indexes()).toHaveLength(1);
    });

    it('cannot send one either: the driver is stopped before it does', async () => {
      const { things, selection, read } = await opened([{ _id: 1 }]);
      await read.server();
      const connection = mongoose.connections.at(-1)!;
      const same = connection.getClient().db(connection.name).collection(selection.collection);
      const update = { $set: { a: 1 } };
      const one = { _id: 1 } as mongo.Document;
      for (const attempt of [
        () => same.insertOne({ a: 1 }),
        () => same.updateOne(one, update),
        () => same.bulkWrite([{ updateOne: { filter: one, update } }], { ordered: false }),
        () => same.findOneAndUpdate(one, update),
        () => same.deleteMany({}),
        () => same.drop(),
        () => same.createIndex({ a: 1 }),
        () => same.aggregate([{ $match: {} }, { $out: 'other' }]).toArray(),
      ])
        await expect(attempt()).rejects.toThrow(
          // The driver cannot make an error of its own of what stopped a bulk.
          /for reading does not send|only a getter/,
        );
      expect(await things.find().toArray()).toEqual([{ _id: 1 }]);
      expect(await things.indexes()).toHaveLength(1);
      expect(await read.count(selection)).toBe(1);
    });
  });
});
