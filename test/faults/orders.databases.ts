import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Row } from '@tidegate/migration';
import mongoose from 'mongoose';
import pg from 'pg';
import { temporaryFolder } from '../e2e/process.ts';
import { openServerIfAny, type Server } from '../servers/servers.ts';
import { type Deed, orderOf, type Orders } from './orders.ts';
import { seeded } from './random.ts';

const COLUMNS = ['items', 'price', 'total', 'note', 'generation', 'doc'] as const;
const values = (id: number) => {
  const order = orderOf(id);
  return [id, ...COLUMNS.map((name) => order[name])].map((value) =>
    typeof value === 'object' && value !== null
      ? JSON.stringify(value)
      : (value as string | number),
  );
};
const withoutKey = (row: Row, key: string): Row =>
  Object.fromEntries(Object.entries(row).filter(([name]) => name !== key));

/** A writer waits that long for the lock of the file. */
const BUSY_WAIT_MS = 30_000;

async function sqliteOrders(): Promise<Orders> {
  const file = join(temporaryFolder(), 'shop.db');
  const database = new DatabaseSync(file, { timeout: BUSY_WAIT_MS });
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; ' +
      'CREATE TABLE orders (id INTEGER PRIMARY KEY, items, price, total, note, generation, doc JSON)',
  );
  const run = (sql: string, ...given: readonly (string | number | null)[]): void => {
    database.prepare(sql).run(...given);
  };
  const sql: Readonly<Record<Deed['kind'], string>> = {
    insert: 'INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)',
    delete: 'DELETE FROM orders WHERE id = ?',
    note: 'UPDATE orders SET note = ? WHERE id = ?',
    price: 'UPDATE orders SET price = ? WHERE id = ?',
    size: `UPDATE orders SET doc = json_set(doc, '$.size', ?) WHERE id = ?`,
  };
  return {
    url: `sqlite:${file}`,
    key: 'id',
    seed: async (count) => {
      database.exec('BEGIN');
      for (let id = 1; id <= count; id += 1) run(sql.insert, ...values(id));
      database.exec('COMMIT');
    },
    do: async (id, deed) => run(sql[deed.kind], ...given(id, deed)),
    all: async () =>
      new Map(
        database
          .prepare('SELECT * FROM orders')
          .all()
          .map((row) => [
            Number(row['id']),
            withoutKey({ ...row, doc: JSON.parse(String(row['doc'])) }, 'id'),
          ]),
      ),
    [Symbol.asyncDispose]: async () => database.close(),
  };
}

const given = (id: number, deed: Deed): readonly (string | number | null)[] => {
  switch (deed.kind) {
    case 'insert':
      return values(id);
    case 'delete':
      return [id];
    case 'note':
      return [deed.note, id];
    case 'price':
      return [deed.price, id];
    case 'size':
      return [deed.size, id];
  }
};

/** @param address of the runner, where it has another way to the server */
async function postgresOrders(url: string, address = url): Promise<Orders> {
  const schema = `shop_${randomUUID().slice(0, 8)}`;
  const pool = new pg.Pool({ connectionString: url, options: `-c search_path=${schema}`, max: 4 });
  pool.on('error', () => undefined); // the server is restarted under it
  await pool.query(`CREATE SCHEMA ${schema}`);
  await pool.query(
    'CREATE TABLE orders (id int PRIMARY KEY, items int, price int, total int, note text, generation int, doc jsonb)',
  );
  const sql: Readonly<Record<Deed['kind'], string>> = {
    insert: 'INSERT INTO orders VALUES ($1, $2, $3, $4, $5, $6, $7)',
    delete: 'DELETE FROM orders WHERE id = $1',
    note: 'UPDATE orders SET note = $1 WHERE id = $2',
    price: 'UPDATE orders SET price = $1 WHERE id = $2',
    size: `UPDATE orders SET doc = jsonb_set(doc, '{size}', to_jsonb($1::int)) WHERE id = $2`,
  };
  const own = new URL(address);
  own.searchParams.set('options', `-c search_path=${schema}`);
  return {
    url: own.href,
    key: 'id',
    seed: async (count) => {
      const client = await pool.connect();
      await client.query('BEGIN');
      for (let id = 1; id <= count; id += 1) await client.query(sql.insert, values(id));
      await client.query('COMMIT');
      client.release();
    },
    do: async (id, deed) => void (await pool.query(sql[deed.kind], [...given(id, deed)])),
    all: async () => {
      const { rows } = await pool.query<Row>('SELECT * FROM orders');
      return new Map(rows.map((row) => [Number(row['id']), withoutKey(row, 'id')]));
    },
    [Symbol.asyncDispose]: async () => {
      await pool.query(`DROP SCHEMA ${schema} CASCADE`);
      await pool.end();
    },
  };
}

/** @param address as of `postgresOrders` */
async function mongoOrders(url: string, address = url): Promise<Orders> {
  const name = `shop_${randomUUID().slice(0, 8)}`;
  const connection = await mongoose.createConnection(url, { dbName: name }).asPromise();
  const orders = connection.getClient().db(name).collection<{ _id: number }>('orders');
  const one = (id: number) => ({ _id: id, ...orderOf(id) });
  const set = (id: number, fields: Row) => orders.updateOne({ _id: id }, { $set: fields });
  const own = new URL(address);
  own.pathname = `/${name}`;
  return {
    url: own.href,
    key: '_id',
    seed: async (count) => {
      await orders.insertMany(Array.from({ length: count }, (_, index) => one(index + 1)));
    },
    do: async (id, deed) => {
      if (deed.kind === 'insert') await orders.insertOne(one(id));
      else if (deed.kind === 'delete') await orders.deleteOne({ _id: id });
      else if (deed.kind === 'size') await set(id, { 'doc.size': deed.size });
      else if (deed.kind === 'note') await set(id, { note: deed.note });
      else await set(id, { price: deed.price });
    },
    all: async () => {
      const found = await orders.find().toArray();
      return new Map(found.map((order) => [order._id, withoutKey(order, '_id')]));
    },
    [Symbol.asyncDispose]: async () => {
      await connection.getClient().db(name).dropDatabase();
      await connection.close();
    },
  };
}

export interface Database {
  readonly name: string;
  /** Undefined where it is only a file. */
  readonly server?: Server;
  /** Undefined when there is no such server here. @param address as of `postgresOrders` */
  readonly open: ((address?: string) => Promise<Orders>) | undefined;
}

/** Every kind that the runner knows, the servers being the spec's own. */
export async function openDatabases(): Promise<{
  readonly databases: readonly Database[];
  readonly close: () => Promise<void>;
}> {
  const postgres = await openServerIfAny('postgres', { own: true });
  const mongodb = await openServerIfAny('mongodb', { own: true });
  const of = (
    name: string,
    server: Server | undefined,
    open: (url: string, address?: string) => Promise<Orders>,
  ): Database => ({
    name,
    ...(server ? { server } : {}),
    open: server && ((address) => open(server.url, address)),
  });
  return {
    databases: [
      { name: 'SQLite', open: sqliteOrders },
      of('PostgreSQL', postgres, postgresOrders),
      of('MongoDB', mongodb, mongoOrders),
    ],
    close: async () => void (await Promise.all([postgres?.stop(), mongodb?.stop()])),
  };
}

/** Numbers in [0, 1) of a seed that is printed, and can be given as FAULT_SEED. */
export function drawn(): () => number {
  const seed = Number(process.env['FAULT_SEED'] ?? Date.now() % 1e9);
  process.stderr.write(`FAULT_SEED=${seed}\n`);
  return seeded(seed);
}
