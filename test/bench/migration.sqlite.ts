import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Order, orderOf, up } from './migration.data.ts';
import { type Database, inGroups } from './migration.database.ts';

interface Kept extends Order {
  readonly id: number;
}

export async function openSqlite(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  const file = join(folder, 'orders.db');
  const database = new DatabaseSync(file, { timeout: 10_000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  return {
    url: `sqlite:${file}`,
    load: async (documents, kilobytes) => {
      database.exec(`DROP TABLE IF EXISTS orders;
        CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, quantity INTEGER, price INTEGER, status TEXT, note TEXT,
          total INTEGER, stage TEXT)`);
      const insert = database.prepare(
        'INSERT INTO orders (id, customer, quantity, price, status, note) VALUES (?, ?, ?, ?, ?, ?)',
      );
      await inGroups(
        documents,
        (n) => orderOf(n, kilobytes),
        async (first, each) => {
          database.exec('BEGIN');
          for (const [index, order] of each.entries()) {
            const { customer, quantity, price, status, note } = order;
            insert.run(first + index, customer, quantity, price, status, note);
          }
          database.exec('COMMIT');
        },
      );
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    },
    bare: async (pageSize) => bare(database, pageSize),
    read: async (n) => database.prepare('SELECT * FROM orders WHERE id = ?').get(n),
    pending: async () =>
      Number(database.prepare('SELECT count(*) AS n FROM orders WHERE total IS NULL').get()?.['n']),
    close: async () => {
      database.close();
      await rm(folder, { recursive: true });
    },
  };
}

function bare(database: DatabaseSync, pageSize: number): number {
  const read = database.prepare(
    'SELECT * FROM orders WHERE total IS NULL AND id > ? ORDER BY id LIMIT ?',
  );
  const write = database.prepare('UPDATE orders SET total = ?, stage = ? WHERE id = ?');
  let changed = 0;
  for (let after = -1; ;) {
    const page = read.all(after, pageSize) as unknown as readonly Kept[];
    const last = page.at(-1);
    if (!last) return changed;
    database.exec('BEGIN IMMEDIATE');
    for (const order of page) {
      const { id, total = null, stage = null } = up(order);
      changed += Number(write.run(total, stage, id).changes);
    }
    database.exec('COMMIT');
    after = last.id;
  }
}
