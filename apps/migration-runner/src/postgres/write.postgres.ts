import type { Edit, Row } from '@tidegate/migration';
import { isAsRead } from '../target/as-read.ts';
import type { Selection, Written } from '../target/target.port.ts';
import { notUnique } from '../target/unique-keys.ts';
import { knownColumnsOf, quoted, quotedTable } from './columns.postgres.ts';
import type { Connection, Connections } from './connection.postgres.ts';
import { allOf, rowsOf, versionOf } from './rows.postgres.ts';
import {
  type Encoded,
  encodedEdit,
  isEncoded,
  isOneOf,
  keyText,
  type Refused,
  type Table,
  update,
} from './update.postgres.ts';
import { textList } from './values.postgres.ts';

/**
 * Those that nobody touched since they were read are written by one statement. Of the others it locks the rows that nobody
 * else holds, compares them as they are now, and writes those that are as they were read. While it holds locks it waits for
 * others so shortly, or not at all, that it can be no part of a deadlock.
 */
export async function writeAll(
  connections: Connections,
  selection: Selection,
  edits: readonly Edit[],
): Promise<readonly Written[]> {
  const table: Table = {
    selection,
    name: quotedTable(selection.collection),
    key: selection.key ?? 'id',
    columns: await knownColumnsOf(connections, selection.collection),
  };
  const all = edits.map((edit) => encodedEdit(table, edit));
  const { results, unlocked } = await connections.transaction(async (transaction) => {
    const written = await writeUntouched(transaction, table, all.filter(isEncoded));
    const others = all.filter(({ key }) => !written.has(key));
    const compared = await writeCompared(transaction, table, others);
    return {
      results: all.map(({ key }) => (written.has(key) ? 'written' : compared.results.get(key))),
      unlocked: compared.unlocked,
    };
  });
  await waitForOthers(connections, table, unlocked);
  return results.map((result) => result ?? 'conflict');
}

/** The keys of those that were written: all whose rows are still of the version that was read, or none. */
async function writeUntouched(
  connection: Connection,
  table: Table,
  edits: readonly Encoded[],
): Promise<ReadonlySet<string>> {
  const known = edits.flatMap((each) => {
    const version = versionOf(each.edit.before);
    return version === undefined || each.values.length === 0 ? [] : [{ ...each, version }];
  });
  if (known.length === 0) return new Set();
  const { written, refused } = await update(connection, table, known);
  if (refused === undefined) return written;
  await connection.query('ROLLBACK TO SAVEPOINT begun');
  return new Set();
}

async function writeCompared(
  connection: Connection,
  table: Table,
  edits: readonly (Encoded | Refused)[],
) {
  const keys = edits.map(({ key }) => key);
  const now = await lockedRows(connection, table, keys);
  const due = edits.filter(({ key, edit }) => {
    const row = now.get(key);
    return row !== undefined && isAsRead(edit, row);
  });
  const results = new Map<string, Written>();
  for (const each of due) if (!isEncoded(each)) results.set(each.key, { refused: each.refused });
  await writeGood(connection, table, due.filter(isEncoded), results);
  return { results, unlocked: keys.filter((key) => !now.has(key)) };
}

async function lockedRows(
  connection: Connection,
  table: Table,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Row>> {
  if (keys.length === 0) return new Map();
  const sql = `SELECT ${allOf(table.columns)} FROM ${table.name} WHERE ${isOneOf(table)} FOR NO KEY UPDATE SKIP LOCKED`;
  const rows = rowsOf(await connection.table(sql, [textList(keys)]), table.columns);
  const found = new Map(rows.map((row) => [keyText(table, row), row]));
  if (found.size === rows.length) return found;
  throw notUnique(table.selection, 'id');
}

/** Holding nothing: so that what somebody keeps locked is told as such, and not taken for edited again and again. */
async function waitForOthers(
  connection: Connection,
  table: Table,
  unlocked: readonly string[],
): Promise<void> {
  if (unlocked.length === 0) return;
  const key = `${quoted(table.key)}::text AS key`;
  const there = await connection.query(
    `SELECT ${key} FROM ${table.name} WHERE ${isOneOf(table)} LIMIT 1`,
    [textList(unlocked)],
  );
  const [first] = there;
  if (first)
    await connection.query(
      `SELECT ${key} FROM ${table.name} WHERE ${isOneOf(table)} FOR NO KEY UPDATE`,
      [textList([first['key'] ?? null])],
    );
}

/** All at once; when the database refuses one of them, half of them at a time: few statements find the few to refuse. */
async function writeGood(
  connection: Connection,
  table: Table,
  edits: readonly Encoded[],
  results: Map<string, Written>,
): Promise<void> {
  if (edits.length === 0) return;
  await connection.query('SAVEPOINT one');
  const { refused } = await update(connection, table, edits);
  await connection.query(`${refused === undefined ? 'RELEASE' : 'ROLLBACK TO'} SAVEPOINT one`);
  if (refused === undefined || edits.length === 1) {
    for (const { key } of edits) results.set(key, refused === undefined ? 'written' : { refused });
    return;
  }
  const half = Math.ceil(edits.length / 2);
  await writeGood(connection, table, edits.slice(0, half), results);
  await writeGood(connection, table, edits.slice(half), results);
}
