import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { AppError, messageOf } from '@tidegate/kernel';
import type { Change, Edit } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import { isAsRead } from '../target/as-read.ts';
import { jsonOf } from '../target/json.ts';
import type { Key, Selection, Written } from '../target/target.port.ts';
import { notUnique } from '../target/unique-keys.ts';
import { type Columns, jsonPlace, quoted } from './terms.sqlite.ts';
import { bound, readRows } from './values.sqlite.ts';

/** Nobody else writes meanwhile, so each document is read, compared and written; all of it is durable, or none. */
export function writeAll(
  database: DatabaseSync,
  selection: Selection,
  columns: Columns,
  edits: readonly Edit[],
): readonly Written[] {
  const table = quoted(selection.collection);
  const key = selection.key ?? 'id';
  const now = database.prepare(`SELECT * FROM ${table} WHERE ${quoted(key)} IS ?`);
  const updates = new Map<string, StatementSync>();
  const update = (edit: Edit): Written => {
    const rows = readRows(now, [bound(edit.before[key])], columns);
    if (rows.length > 1) throw notUnique(selection, 'id', edit.before[key] as Key);
    const [row] = rows;
    if (!row || !isAsRead(edit, row)) return 'conflict';
    if (edit.changes.length === 0) return 'written';
    mustHaveColumns(selection, columns, edit.changes);
    const set = assignments(edit.changes, columns);
    const sql = `UPDATE ${table} SET ${set.sql} WHERE ${quoted(key)} IS ?`;
    const statement = updates.get(sql) ?? database.prepare(sql);
    updates.set(sql, statement);
    statement.run(...set.values, bound(edit.before[key]));
    return 'written';
  };
  return inTransaction(database, () => edits.map((edit) => refusedOr(() => update(edit))));
}

function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function mustHaveColumns(
  { collection }: Selection,
  columns: Columns,
  changes: readonly Change[],
): void {
  const missing = changes.find(({ path: [name = ''] }) => !columns.has(name))?.path[0];
  if (missing === undefined) return;
  throw new AppError<MigrationErrorCode>(
    'MIGRATION_TARGET_FAILED',
    `The table ${collection} has no column ${missing}; it has ${[...columns.keys()].join(', ')}.`,
  );
}

const REFUSED = new Set([18, 19, 20]); // too big, constraint, mismatch

function refusedOr(work: () => Written): Written {
  try {
    return work();
  } catch (error) {
    const code = (error as { errcode?: unknown }).errcode;
    if (error instanceof RangeError || (typeof code === 'number' && REFUSED.has(code & 0xff)))
      return { refused: messageOf(error) };
    throw error;
  }
}

/** Below a column of JSON only what changed is written: the rest stays as it is, to the last digit. */
function assignments(changes: readonly Change[], columns: Columns) {
  const byColumn = new Map<string, { sql: string; values: SQLInputValue[] }>();
  for (const { path, value } of changes) {
    const [name = '', ...inner] = path;
    const isJson = columns.get(name)?.isJson === true;
    const set = byColumn.get(name) ?? { sql: quoted(name), values: [] };
    const place = jsonPlace(inner);
    if (inner.length === 0) {
      set.sql = '?';
      set.values = [isJson && (value ?? null) !== null ? jsonOf(value) : bound(value)];
    } else if (value === undefined) set.sql = `json_remove(${set.sql}, ${place})`;
    else {
      set.sql = `json_set(${set.sql}, ${place}, json(?))`;
      set.values.push(jsonOf(value));
    }
    byColumn.set(name, set);
  }
  const sets = [...byColumn];
  return {
    sql: sets.map(([name, { sql }]) => `${quoted(name)} = ${sql}`).join(', '),
    values: sets.flatMap(([, { values }]) => values),
  };
}
