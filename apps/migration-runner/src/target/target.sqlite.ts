import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { AppError, messageOf } from '@tidegate/kernel';
import type { Filter, Scalar, Test } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Key, Selection, Target, Write } from './target.port.ts';

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
        return statement(`${sql} LIMIT ?`).all(...values, limit);
      }),
    find: (selection, keys) =>
      attempt(() => {
        const marks = keys.map(() => '?').join(',');
        const key = quoted(selection.key);
        const sql = `SELECT * FROM ${table(selection)} WHERE ${key} IN (${marks}) ORDER BY ${key}`;
        return statement(sql).all(...keys);
      }),
    write: (selection, writes) => attempt(() => writeAll(database, selection, writes)),
    indexOf: (selection) =>
      attempt(() => {
        const { sql, values } = pageQuery(selection, undefined);
        const plan = statement(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
        return plan
          .map((row) =>
            /USING (?:COVERING )?(?:INDEX (\S+)|(INTEGER PRIMARY KEY))/.exec(String(row['detail'])),
          )
          .map((match) => match?.[1] ?? match?.[2])
          .find((index) => index !== undefined);
      }),
    close: async () => database.close(),
  };
}

function connect(file: string, access: 'read' | 'write'): DatabaseSync {
  try {
    const database = new DatabaseSync(file, { readOnly: access === 'read', timeout: BUSY_WAIT_MS });
    if (access === 'write') database.exec('PRAGMA synchronous = FULL');
    return database;
  } catch (error) {
    throw named(error);
  }
}

function writeAll(
  database: DatabaseSync,
  selection: Selection,
  writes: readonly Write[],
): ('written' | 'conflict')[] {
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
  { before, after, fields }: Write,
): 'written' | 'conflict' {
  const columns = Object.keys(before);
  const assignments = fields.map((field) => `${quoted(field)} = ?`).join(', ');
  const unchanged = columns.map((column) => `${quoted(column)} IS ?`).join(' AND ');
  const sql = `UPDATE ${table(selection)} SET ${assignments} WHERE ${unchanged}`;
  const { changes } = database
    .prepare(sql)
    .run(
      ...fields.map((field) => bound(after[field])),
      ...columns.map((column) => bound(before[column])),
    );
  return Number(changes) === 1 ? 'written' : 'conflict';
}

function pageQuery(selection: Selection, after: Key | undefined) {
  const { where, values } = condition(selection.filters);
  const key = quoted(selection.key);
  const from = after === undefined ? '' : ` AND ${key} > ?`;
  return {
    sql: `SELECT * FROM ${table(selection)} WHERE ${where}${from} ORDER BY ${key}`,
    values: after === undefined ? values : [...values, after],
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
  for (const [field, test] of filters.flatMap((filter) => Object.entries(filter)))
    addTest(quoted(field), test, add);
  return { where: parts.join(' AND ') || 'TRUE', values };
}

function addTest(
  column: string,
  test: Test,
  add: (sql: string, ...values: SQLInputValue[]) => void,
): void {
  if (test.equals !== undefined) add(`${column} IS ?`, bound(test.equals));
  if (test.not !== undefined) add(`${column} IS NOT ?`, bound(test.not));
  if (test.in !== undefined)
    add(`(${test.in.map(() => `${column} IS ?`).join(' OR ') || 'FALSE'})`, ...test.in.map(bound));
  const orderings = { above: '>', atLeast: '>=', below: '<', atMost: '<=' } as const;
  for (const [name, operator] of Object.entries(orderings)) {
    const value = test[name as keyof typeof orderings];
    if (value === undefined) continue;
    const types = typeof value === 'number' ? `('integer', 'real')` : `('text')`;
    add(`(typeof(${column}) IN ${types} AND ${column} ${operator} ?)`, value);
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const table = ({ collection }: Selection): string => quoted(collection);

/** SQLite has no boolean, and keeps objects as JSON text. */
function bound(value: unknown): SQLInputValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'object' && !(value instanceof Uint8Array)) return JSON.stringify(value);
  return value as Exclude<Scalar, boolean>;
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
