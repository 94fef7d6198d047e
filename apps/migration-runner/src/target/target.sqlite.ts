import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { AppError, messageOf } from '@tidegate/kernel';
import {
  type Condition,
  conditionsOf,
  type Edit,
  type Filter,
  type Row,
  type Scalar,
  type Test,
} from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Key, Schema, Selection, Target, Written } from './target.port.ts';

const BUSY_WAIT_MS = 5_000;

/** A table of an SQLite file; a reading connection cannot write. */
export function openSqliteTarget(file: string, access: 'read' | 'write'): Target {
  const database = connect(file, access);
  const statement = (sql: string): StatementSync => database.prepare(sql);
  return {
    count: (selection) =>
      attempt(() => {
        const { where, values } = condition(selection.filters);
        const row = statement(`SELECT count(*) AS n FROM ${table(selection)} WHERE ${where}`).get(
          ...values,
        );
        return Number(row?.['n']);
      }),
    page: (selection, after, limit) =>
      attempt(() => {
        const { sql, values } = pageQuery(selection, after);
        return read(statement(`${sql} LIMIT ?`), [...values, limit]);
      }),
    find: (selection, keys) =>
      attempt(() => {
        const { where, values } = condition(selection.filters);
        const byKey = statement(
          `SELECT * FROM ${table(selection)} WHERE ${quoted(selection.key ?? 'id')} = ? AND ${where}`,
        );
        return keys.flatMap((key) => read(byKey, [keyValue(key), ...values]));
      }),
    server: async () => `SQLite ${process.versions['sqlite']}`,
    keyOf,
    write: (selection, writes) => attempt(() => writeAll(database, selection, writes)),
    readBy: (selection) =>
      attempt(() => {
        const { sql, values } = pageQuery(selection, undefined);
        const plan = statement(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
        const detail = plan.map((row) => String(row['detail'])).join('; ');
        const [, index, primary] =
          /USING (?:COVERING )?(?:INDEX (\S+)|(INTEGER PRIMARY KEY))/.exec(detail) ?? [];
        const name = index ?? primary;
        return { detail, ...(name === undefined ? {} : { index: name }) };
      }),
    health: async () => ({ detail: ['one file: nothing is replicated, and nothing queues'] }),
    pack: (rows) => serialize(rows),
    unpack: (bytes) => deserialize(bytes) as readonly Row[],
    schema: unsupported,
    close: async () => database.close(),
  };
}

const notYet = async (): Promise<never> => {
  throw new AppError<MigrationErrorCode>('MIGRATION_TARGET_UNSUPPORTED', 'SQLite: not yet.');
};
const unsupported: Schema = { missing: notYet, ensure: notYet, drop: notYet };

function keyOf({ collection, key = 'id' }: Selection, row: Row): Key {
  const value = row[key];
  if (typeof value === 'bigint') return `$int:${value}`;
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return value.startsWith('$') ? `$text:${value}` : value;
  throw new AppError<MigrationErrorCode>(
    'MIGRATION_KEY_UNUSABLE',
    `${collection} has a document whose ${key} is ${value === null ? 'null' : 'neither text nor a number'}: ` +
      'choose a key that is unique, never changes and orders the documents.',
  );
}

function keyValue(key: Key): SQLInputValue {
  const [, kind, text = ''] = /^\$(int|text):(.*)$/s.exec(String(key)) ?? [];
  if (kind === 'int') return BigInt(text);
  return kind === 'text' ? text : bound(key);
}

function connect(file: string, access: 'read' | 'write'): DatabaseSync {
  try {
    const url = pathToFileURL(file);
    url.searchParams.set('mode', access === 'read' ? 'ro' : 'rw'); // never makes the file
    const database = new DatabaseSync(url, { readOnly: access === 'read', timeout: BUSY_WAIT_MS });
    if (access === 'write') database.exec('PRAGMA synchronous = FULL');
    return database;
  } catch (error) {
    throw named(error);
  }
}

function writeAll(
  database: DatabaseSync,
  selection: Selection,
  writes: readonly Edit[],
): Written[] {
  database.exec('BEGIN IMMEDIATE');
  try {
    const results = writes.map((write) => writeOne(database, selection, write));
    database.exec('COMMIT');
    return results;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

function writeOne(
  database: DatabaseSync,
  selection: Selection,
  { before, changes }: Edit,
): Written {
  const columns = Object.keys(before);
  const assignments = changes.map(({ path }) => `${quoted(path[0] ?? '')} = ?`).join(', ');
  // One comparison of rows: SQLite takes no more than a thousand that are joined by AND.
  const unchanged = `(${columns.map(quoted).join(', ')}) IS (${marks(columns)})`;
  const done = database
    .prepare(`UPDATE ${table(selection)} SET ${assignments} WHERE ${unchanged}`)
    .run(
      ...changes.map(({ value }) => bound(value)),
      ...columns.map((column) => bound(before[column])),
    );
  return Number(done.changes) > 0 ? 'written' : 'conflict';
}

/** Integers that fit are numbers, the others bigints. */
function read(statement: StatementSync, values: readonly SQLInputValue[]): readonly Row[] {
  try {
    return statement.all(...values);
  } catch (error) {
    if (!isOutOfRange(error)) throw error;
  }
  statement.setReadBigInts(true);
  return statement.all(...values).map(narrowed);
}

const isOutOfRange = (error: unknown): boolean =>
  (error as { code?: unknown }).code === 'ERR_OUT_OF_RANGE';

const narrowed = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value,
    ]),
  );

function pageQuery(selection: Selection, after: Key | undefined) {
  const { where, values } = condition(selection.filters);
  const key = quoted(selection.key ?? 'id');
  const from = after === undefined ? '' : ` AND ${key} > ?`;
  return {
    sql: `SELECT * FROM ${table(selection)} WHERE ${where}${from} ORDER BY ${key}`,
    values: after === undefined ? values : [...values, keyValue(after)],
  };
}

/** Means what `matches` of libs/migration means; held to it by the contract suite. */
function condition(filters: readonly Filter[]): { where: string; values: SQLInputValue[] } {
  const parts: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (sql: string, ...more: SQLInputValue[]) => {
    parts.push(sql);
    values.push(...more);
  };
  const addAll = (conditions: readonly Condition[]): void => {
    for (const each of conditions)
      if ('anyOf' in each) addAny(each.anyOf);
      else addTest(quoted(each.path.join('.')), each.test, add);
  };
  const addAny = (alternatives: readonly (readonly Condition[])[]): void => {
    const before = parts.splice(0);
    const joined = alternatives.map((conditions) => {
      addAll(conditions);
      return parts.splice(0).join(' AND ') || 'TRUE';
    });
    parts.push(...before, `(${joined.join(' OR ') || 'FALSE'})`);
  };
  addAll(filters.flatMap(conditionsOf));
  return { where: parts.join(' AND ') || 'TRUE', values };
}

function addTest(
  column: string,
  test: Test,
  add: (sql: string, ...values: SQLInputValue[]) => void,
): void {
  if (test.equals !== undefined) isOneOf(column, [test.equals], add);
  if (test.not !== undefined) isOneOf(column, [test.not], add, 'NOT ');
  if (test.in !== undefined) isOneOf(column, test.in, add);
  if (test.exists !== undefined) isOneOf(column, [null], add, test.exists ? 'NOT ' : '');
  const orderings = { above: '>', atLeast: '>=', below: '<', atMost: '<=' } as const;
  for (const [name, operator] of Object.entries(orderings)) {
    const value = test[name as keyof typeof orderings];
    if (value === undefined) continue;
    add(`(${isOfType(column, value)} AND ${column} ${operator} ?)`, bound(value));
  }
}

/** By kind, since a column with a type would compare '5' and 5 as the same. */
function isOneOf(
  column: string,
  wanted: readonly Scalar[],
  add: (sql: string, ...values: SQLInputValue[]) => void,
  not: 'NOT ' | '' = '',
): void {
  const texts = wanted.filter((value) => typeof value === 'string');
  const numbers = wanted.filter((value) => value !== null && typeof value !== 'string');
  const parts = [texts, numbers]
    .filter((values) => values.length > 0)
    .map((values) => `(${isOfType(column, values[0])} AND ${column} IN (${marks(values)}))`);
  if (wanted.includes(null)) parts.push(`${column} IS NULL`);
  add(`${not}(${parts.join(' OR ') || 'FALSE'})`, ...[...texts, ...numbers].map(bound));
}

const isOfType = (column: string, value: Scalar | undefined): string =>
  `typeof(${column}) IN ${typeof value === 'string' ? `('text')` : `('integer', 'real')`}`;

const marks = (values: readonly unknown[]): string => values.map(() => '?').join(', ');
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const table = ({ collection }: Selection): string => quoted(collection);

/** SQLite has no boolean and no date, and keeps objects as JSON text. A number would be bound as REAL. */
function bound(value: unknown): SQLInputValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object' && !ArrayBuffer.isView(value)) return JSON.stringify(value);
  return value as SQLInputValue;
}

async function attempt<T>(work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    throw named(error);
  }
}

const RETRYABLE = new Set([5, 6, 10, 13, 14]); // busy, locked, I/O error, full, cannot open

function named(error: unknown): AppError<MigrationErrorCode> {
  const code = (error as { errcode?: unknown }).errcode;
  const retryable = typeof code === 'number' && RETRYABLE.has(code & 0xff);
  return retryable
    ? new AppError(
        'MIGRATION_TARGET_UNREACHABLE',
        `The database does not work now: ${messageOf(error)}`,
        { cause: error, retryable },
      )
    : new AppError('MIGRATION_TARGET_FAILED', `The database refused: ${messageOf(error)}`, {
        cause: error,
      });
}
