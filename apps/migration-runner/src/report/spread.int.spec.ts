import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import mongoose from 'mongoose';
import pg from 'pg';
import { openServerIfAny } from '../../../../test/servers/servers.ts';
import { openMongoTarget } from '../target/target.mongo.ts';
import { openPostgresTarget } from '../target/target.postgres.ts';
import type { Key, Selection, Target } from '../target/target.port.ts';
import { lastKeyOf, spreadOver } from './spread.handler.ts';

jest.setTimeout(120_000);

const COUNT = 4_000;
const WANTED = 20;
/** FerretDB takes its time. */
const FEWER = 1_200;
const postgres = await openServerIfAny('postgres');
const mongodb = await openServerIfAny('mongodb');
afterAll(async () => {
  await postgres?.stop();
  await mongodb?.stop();
});

/** Reads are counted: what lies between the samples must not be read. */
async function looked(target: Target, selection: Selection, total = COUNT) {
  let rows = 0;
  const page: Target['page'] = async (...of) => {
    const read = await target.page(...of);
    rows += read.length;
    return read;
  };
  const reader = { target: { ...target, page }, shift: { goOn: async () => true } };
  const samples: Key[] = [];
  for await (const { key } of spreadOver(reader, selection, { total, wanted: WANTED }))
    samples.push(key);
  const forSamples = rows;
  return { samples, forSamples, last: await lastKeyOf(reader, selection) };
}

(postgres ? describe : describe.skip)('keys of PostgreSQL', () => {
  it.each([
    ['smallint', 'n', '4000'],
    ['integer', 'n * 500000', '2000000000'],
    ['bigint', 'n + 9007199254740990', '$int:9007199254744990'],
    ['uuid', `lpad(to_hex(n::bigint * 1000000), 32, '0')::uuid`, undefined],
    ['timestamptz', `'1969-06-01'::timestamptz + n * interval '1 hour'`, undefined],
    ['text', `'order-' || lpad(n::text, 6, '0')`, 'order-004000'],
    ['inet', `('10.0.0.0'::inet + n)`, undefined],
  ])('of the type %s', async (type, key, last) => {
    const admin = new pg.Client({ connectionString: postgres?.url });
    await admin.connect();
    const collection = `keys_${randomUUID().slice(0, 8)}`;
    await admin.query(`CREATE TABLE ${collection} (id ${type} PRIMARY KEY)`);
    await admin.query(
      `INSERT INTO ${collection} SELECT ${key} FROM generate_series(1, ${COUNT}) n`,
    );
    const target = openPostgresTarget(postgres?.url ?? '', 'read');
    try {
      const found = await looked(target, { collection, key: 'id', filters: [] });
      expect(new Set(found.samples).size).toBe(found.samples.length);
      expect(found.samples.length).toBeGreaterThanOrEqual(WANTED);
      if (type !== 'inet') expect(found.forSamples).toBeLessThan(10 * WANTED);
      if (last !== undefined) expect(String(found.last)).toBe(last);
    } finally {
      await target.close();
      await admin.query(`DROP TABLE ${collection}`);
      await admin.end();
    }
  });
});

(mongodb ? describe : describe.skip)('keys of MongoDB', () => {
  it('that are made as time passes, and others beside them', async () => {
    const { ObjectId } = mongoose.mongo;
    const connection = await mongoose.createConnection(mongodb?.url ?? '').asPromise();
    const collection = `keys-${randomUUID().slice(0, 8)}`;
    const ids = Array.from({ length: FEWER - 3 }, (_, n) =>
      ObjectId.createFromTime(1_600_000_000 + n * 3_600),
    );
    const keys: readonly unknown[] = [1, 2, 'odd', ...ids];
    await connection
      .collection(collection)
      .insertMany(keys.map((_id) => ({ _id: _id as mongoose.mongo.BSON.ObjectId })));
    const target = openMongoTarget(mongodb?.url ?? '', 'read');
    try {
      const found = await looked(target, { collection, filters: [] }, FEWER);
      expect(found.samples).toEqual(expect.arrayContaining([1, 'odd']));
      expect(found.samples).toHaveLength(WANTED);
      expect(found.forSamples).toBeLessThan(10 * WANTED);
      expect(found.last).toBe(`$oid:${ids.at(-1)?.toHexString()}`);
    } finally {
      await target.close();
      await connection.collection(collection).drop();
      await connection.close();
    }
  });
});
