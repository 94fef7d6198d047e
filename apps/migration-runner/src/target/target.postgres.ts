import { deserialize, serialize } from 'node:v8';
import { AppError } from '@tidegate/kernel';
import type { Row } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import {
  type Columns,
  columnOf,
  knownColumnsOf,
  quoted,
  quotedTable,
} from '../postgres/columns.postgres.ts';
import { type Access, connect, type Connections } from '../postgres/connection.postgres.ts';
import { healthOf, readingOf } from '../postgres/observe.postgres.ts';
import { allOf, onceMore, rowsOf } from '../postgres/rows.postgres.ts';
import { postgresSchema } from '../postgres/schema.postgres.ts';
import { postgresTerms } from '../postgres/terms.postgres.ts';
import { textList } from '../postgres/values.postgres.ts';
import { writeAll } from '../postgres/write.postgres.ts';
import { conditionOf } from './condition.ts';
import type { Key, Selection, Target } from './target.port.ts';
import { uniquePage } from './unique-keys.ts';

/** A table of a PostgreSQL database; the server refuses writes of a connection for reading. */
export function openPostgresTarget(url: string, access: Access): Target {
  const connections = connect(url, access);
  return {
    server: () => serverOf(connections, access),
    count: async (selection) => {
      const { where, values } = await query(connections, selection);
      const [row] = await connections.query(`SELECT count(*) AS n FROM ${where}`, values);
      return Number(row?.['n']);
    },
    page: (selection, after, limit) =>
      onceMore(async () => {
        const found = await query(connections, selection, after);
        if (after === undefined) await refuseNullKeys(connections, selection, found);
        const { where, values, columns } = found;
        const sql = `SELECT ${allOf(columns)} FROM ${where} ORDER BY ${keyOfTable(selection)} LIMIT ${limit + 1}`;
        const rows = rowsOf(await connections.table(sql, values), columns);
        return uniquePage(selection, rows, { limit, keyOf });
      }),
    find: (selection, keys) =>
      onceMore(async () => {
        const { where, values, columns } = await query(connections, selection);
        const { type } = columnOf(columns, selection.key ?? 'id');
        const sql = `SELECT ${allOf(columns)} FROM ${where} AND ${keyOfTable(selection)} = ANY($${values.length + 1}::${type}[])`;
        const rows = rowsOf(
          await connections.table(sql, [...values, textList(keys.map(keyText))]),
          columns,
        );
        const byKey = new Map(rows.map((row) => [keyOf(selection, row), row]));
        return keys.map((key) => byKey.get(key)).filter((row) => row !== undefined);
      }),
    keyOf,
    write: (selection, edits) => writeAll(connections, selection, edits),
    readBy: async (selection) => {
      const { where, values } = await query(connections, selection);
      const sql = `SELECT * FROM ${where} ORDER BY ${keyOfTable(selection)} LIMIT 500`;
      return readingOf(connections, sql, values);
    },
    health: () => healthOf(connections),
    pack: (rows) => serialize(rows),
    unpack: (bytes) => deserialize(bytes) as readonly Row[],
    hasColumns: true,
    schema: postgresSchema(connections),
    close: () => connections.close(),
  };
}

const keyOfTable = ({ key = 'id' }: Selection): string => quoted(key);

async function query(connections: Connections, selection: Selection, after?: Key) {
  const columns: Columns = await knownColumnsOf(connections, selection.collection);
  const values: string[] = [];
  const bind = (text: string): string => `$${values.push(text)}`;
  const condition = conditionOf(selection.filters, postgresTerms(columns, bind));
  const { type } = columnOf(columns, selection.key ?? 'id');
  const from =
    after === undefined ? '' : ` AND ${keyOfTable(selection)} > ${bind(keyText(after))}::${type}`;
  return {
    where: `${quotedTable(selection.collection)} WHERE ${condition}${from}`,
    values,
    columns,
  };
}

/** They come last in order, and are greater than no key. */
async function refuseNullKeys(
  connections: Connections,
  selection: Selection,
  { where, values, columns }: Awaited<ReturnType<typeof query>>,
): Promise<void> {
  if (!columnOf(columns, selection.key ?? 'id').isNullable) return;
  const sql = `SELECT 1 AS one FROM ${where} AND ${keyOfTable(selection)} IS NULL LIMIT 1`;
  if ((await connections.query(sql, values)).length > 0) throw unusable(selection, 'null');
}

function keyOf(selection: Selection, row: Row): Key {
  const value = row[selection.key ?? 'id'];
  if (typeof value === 'bigint') return `$int:${value}`;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string') return value.startsWith('$') ? `$text:${value}` : value;
  throw unusable(selection, (value ?? null) === null ? 'null' : 'neither text nor a number');
}

const unusable = ({ collection, key = 'id' }: Selection, what: string) =>
  new AppError<MigrationErrorCode>(
    'MIGRATION_KEY_UNUSABLE',
    `${collection} has a document whose ${key} is ${what}: ` +
      'choose a key that is unique, never changes and orders the documents.',
  );

const keyText = (key: Key): string => String(key).replace(/^\$(int|text|uuid|date):/, '');

async function serverOf(connections: Connections, access: Access): Promise<string> {
  const [row] = await connections.query(
    `SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby`,
  );
  if (access === 'write' && row?.['standby'] === 't')
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_TARGET_READ_ONLY',
      'The server is a standby, which takes no writes: give the address of its primary.',
    );
  return `PostgreSQL ${row?.['version']?.split(' ')[0]}`;
}
