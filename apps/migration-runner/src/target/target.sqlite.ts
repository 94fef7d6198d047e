import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { AppError, isAppError, messageOf } from '@tidegate/kernel';
import type { Row } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import { sqliteSchema } from '../sqlite/schema.sqlite.ts';
import { type Columns, quoted, sqliteTerms } from '../sqlite/terms.sqlite.ts';
import { bound, readRows } from '../sqlite/values.sqlite.ts';
import { writeAll } from '../sqlite/write.sqlite.ts';
import { conditionOf } from './condition.ts';
import type { Key, Reading, Selection, Target } from './target.port.ts';
import { uniquePage } from './unique-keys.ts';

const BUSY_WAIT_MS = 5_000;
const BUSY_AGAIN_MS = 10;
/** SQLite itself waits by keeping the whole process waiting. */
const STANDSTILL_MS = 5;

/** A table of an SQLite file; a reading connection cannot write. */
export function openSqliteTarget(file: string, access: 'read' | 'write'): Target {
  const database = connect(file, access);
  const statement = (sql: string): StatementSync => database.prepare(sql);
  const columnsOf = (table: string): Columns => columnsIn(database, table);
  const query = (selection: Selection, what = '*'): Query =>
    queryOf(columnsOf(selection.collection), selection, what);
  const attempt = async <T>(work: () => T): Promise<T> => {
    for (const since = performance.now(); ; await wait(BUSY_AGAIN_MS))
      try {
        return work();
      } catch (error) {
        const isOver = performance.now() - since > BUSY_WAIT_MS;
        if (isOver || !BUSY.has(codeOf(error))) throw named(error, access);
      }
  };
  return {
    server: () =>
      attempt(() => {
        statement('SELECT count(*) FROM sqlite_schema').get();
        return `SQLite ${process.versions['sqlite']}`;
      }),
    count: (selection) =>
      attempt(() => {
        const { sql, values } = query(selection, 'count(*) AS n');
        return Number(statement(sql).get(...values)?.['n']);
      }),
    page: (selection, after, limit) =>
      attempt(() => {
        const { sql, values, columns } = inOrder(selection, query(selection), after);
        const rows = readRows(statement(`${sql} LIMIT ?`), [...values, limit + 1], columns);
        return uniquePage(selection, rows, { limit, keyOf });
      }),
    find: (selection, keys) =>
      attempt(() => {
        const { sql, values, columns } = query(selection);
        const byKey = statement(`${sql} AND ${keyOfTable(selection)} = ?`);
        return keys.flatMap((key) => readRows(byKey, [...values, keyValue(key)], columns));
      }),
    keyOf,
    write: (selection, edits) =>
      attempt(() => writeAll(database, selection, columnsOf(selection.collection), edits)),
    readBy: (selection) =>
      attempt(() => {
        const { sql, values } = inOrder(selection, query(selection), undefined);
        return readingOf(statement(`EXPLAIN QUERY PLAN ${sql}`).all(...values));
      }),
    health: async () => ({ detail: ['one file: nothing is replicated, and nothing queues'] }),
    pack: (rows) => serialize(rows.map((row) => ({ ...row }))),
    unpack: (bytes) => deserialize(bytes) as readonly Row[],
    hasColumns: true,
    schema: sqliteSchema(database, columnsOf, attempt),
    close: async () => {
      if (database.isOpen) database.close();
    },
  };
}

interface Query {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
  readonly columns: Columns;
}

const columnsIn = (database: DatabaseSync, table: string): Columns =>
  new Map(
    database
      .prepare('SELECT name, type FROM pragma_table_xinfo(?)')
      .all(table)
      .map(({ name, type }) => [String(name), { isJson: /json/i.test(String(type)) }]),
  );

function queryOf(columns: Columns, { collection, filters }: Selection, what: string): Query {
  const values: SQLInputValue[] = [];
  const bind = (value: unknown): string => {
    values.push(bound(value));
    return '?';
  };
  const where = conditionOf(filters, sqliteTerms(columns, bind));
  return { sql: `SELECT ${what} FROM ${quoted(collection)} WHERE ${where}`, values, columns };
}

const keyOfTable = ({ key = 'id' }: Selection): string => quoted(key);

function inOrder(selection: Selection, query: Query, after: Key | undefined): Query {
  const key = keyOfTable(selection);
  const from = after === undefined ? '' : ` AND ${key} > ?`;
  return {
    ...query,
    sql: `${query.sql}${from} ORDER BY ${key}`,
    values: after === undefined ? query.values : [...query.values, keyValue(after)],
  };
}

function keyOf({ collection, key = 'id' }: Selection, row: Row): Key {
  const value = row[key];
  if (typeof value === 'bigint') return `$int:${value}`;
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return value.startsWith('$') ? `$text:${value}` : value;
  throw new AppError<MigrationErrorCode>(
    'MIGRATION_KEY_UNUSABLE',
    `${collection} has a document whose ${key} is ${(value ?? null) === null ? 'null' : 'neither text nor a number'}: ` +
      'choose a key that is unique, never changes and orders the documents.',
  );
}

function keyValue(key: Key): SQLInputValue {
  const [, kind, text = ''] = /^\$(int|text):(.*)$/s.exec(String(key)) ?? [];
  if (kind === 'int') return BigInt(text);
  return kind === 'text' ? text : bound(key);
}

/** Following the rows in their own order reads all of them. */
function readingOf(plan: readonly Row[]): Reading {
  const detail = plan.map((row) => String(row['detail'])).join('; ');
  const [, index, primary] =
    /SEARCH .*?USING (?:COVERING )?(?:INDEX (\S+)|(INTEGER PRIMARY KEY))/.exec(detail) ?? [];
  const name = index ?? primary;
  return { detail, ...(name === undefined ? {} : { index: name }) };
}

function connect(file: string, access: 'read' | 'write'): DatabaseSync {
  try {
    const url = pathToFileURL(file);
    url.searchParams.set('mode', access === 'read' ? 'ro' : 'rw'); // never makes the file
    const database = new DatabaseSync(url, { readOnly: access === 'read', timeout: STANDSTILL_MS });
    if (access === 'write') database.exec('PRAGMA synchronous = FULL');
    return database;
  } catch (error) {
    throw named(error, access);
  }
}

const BUSY = new Set([5, 6]); // busy, locked: by others, who will be done
const RETRYABLE = new Set([5, 6, 10, 13, 14]); // busy, locked, I/O error, full, cannot open
const READ_ONLY = 8;
const DENIED = new Set([3, 23]); // permission, authorisation

function codeOf(error: unknown): number {
  const errcode = (error as { errcode?: unknown } | null)?.errcode;
  return typeof errcode === 'number' ? errcode & 0xff : 0;
}

function named(error: unknown, access: 'read' | 'write'): AppError {
  if (isAppError(error)) return error;
  const code = codeOf(error);
  const refusal = (name: MigrationErrorCode): AppError<MigrationErrorCode> =>
    new AppError(name, `The database refused: ${messageOf(error)}`, { cause: error });
  if (code === READ_ONLY && access === 'write') return refusal('MIGRATION_TARGET_READ_ONLY');
  if (DENIED.has(code)) return refusal('MIGRATION_TARGET_DENIED');
  if (!RETRYABLE.has(code)) return refusal('MIGRATION_TARGET_FAILED');
  return new AppError<MigrationErrorCode>(
    'MIGRATION_TARGET_UNREACHABLE',
    `The database does not work now: ${messageOf(error)}`,
    { cause: error, retryable: true },
  );
}
