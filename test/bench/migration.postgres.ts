import pg from 'pg';
import { openServer } from '../servers/servers.ts';
import { type Order, orderOf, up } from './migration.data.ts';
import { type Database, inGroups } from './migration.database.ts';

interface Kept extends Order {
  readonly id: number;
}

const TABLE = `DROP TABLE IF EXISTS orders;
  CREATE TABLE orders (id integer PRIMARY KEY, customer text NOT NULL, quantity integer NOT NULL, price integer NOT NULL,
    status text NOT NULL, note text NOT NULL, total integer, stage text)`;
const COLUMNS = ['id', 'customer', 'quantity', 'price', 'status', 'note'] as const;

/** On the PostgreSQL of the environment, or else on a server that the tests use. */
export async function openPostgres(): Promise<Database> {
  const server = await openServer('postgres', process.env['POSTGRES_URL'] ? {} : { own: true });
  const pool = new pg.Pool({ connectionString: server.url, max: 2 });
  return {
    url: server.url,
    load: async (documents, kilobytes) => {
      await pool.query(TABLE);
      await inGroups(
        documents,
        (n) => orderOf(n, kilobytes),
        async (first, each) => {
          const rows = each.map((order, index) => ({ id: first + index, ...order }));
          const lists = COLUMNS.map((name) => rows.map((row) => row[name]));
          await pool.query(
            'INSERT INTO orders (id, customer, quantity, price, status, note) ' +
              'SELECT * FROM unnest($1::int[], $2::text[], $3::int[], $4::int[], $5::text[], $6::text[])',
            lists,
          );
        },
      );
      await pool.query('VACUUM ANALYZE orders');
    },
    bare: (pageSize) => bare(pool, pageSize),
    read: async (n) =>
      (await pool.query('SELECT * FROM orders WHERE id = $1', [n])).rows[0] as unknown,
    pending: async () =>
      Number((await pool.query('SELECT count(*) AS n FROM orders WHERE total IS NULL')).rows[0].n),
    close: async () => {
      await pool.end();
      await server.stop();
    },
  };
}

async function bare(pool: pg.Pool, pageSize: number): Promise<number> {
  let changed = 0;
  for (let after = -1; ;) {
    const page = await pool.query<Kept>(
      'SELECT * FROM orders WHERE total IS NULL AND id > $1 ORDER BY id LIMIT $2',
      [after, pageSize],
    );
    const last = page.rows.at(-1);
    if (!last) return changed;
    const done = page.rows.map(up);
    const written = await pool.query(
      'UPDATE orders SET total = v.total, stage = v.stage ' +
        'FROM unnest($1::int[], $2::int[], $3::text[]) AS v (id, total, stage) WHERE orders.id = v.id',
      [done.map(({ id }) => id), done.map(({ total }) => total), done.map(({ stage }) => stage)],
    );
    changed += written.rowCount ?? 0;
    after = last.id;
  }
}
