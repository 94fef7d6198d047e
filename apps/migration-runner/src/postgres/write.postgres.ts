import { AppError, messageOf } from '@tidegate/kernel';
import { type Change, type Edit, equal, type Row } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import { isAsRead } from '../target/as-read.ts';
import type { Selection, Written } from '../target/target.port.ts';
import {
  type Columns,
  columnOf,
  columnsOf,
  literal,
  quoted,
  quotedTable,
} from './columns.postgres.ts';
import { type Connection, type Connections, isRefusal } from './connection.postgres.ts';
import { rowsOf } from './rows.postgres.ts';
import { encoded, textList } from './values.postgres.ts';

interface Table {
  readonly name: string;
  readonly key: string;
  readonly columns: Columns;
}

/**
 * Locks the rows that nobody else holds, compares them as they are now, and writes those that are as they were read. It never
 * waits for a lock while it holds others, so it can be no part of a deadlock.
 */
export async function writeAll(
  connections: Connections,
  selection: Selection,
  edits: readonly Edit[],
): Promise<readonly Written[]> {
  const table: Table = {
    name: quotedTable(selection.collection),
    key: selection.key ?? 'id',
    columns: await columnsOf(connections, selection.collection),
  };
  for (const { changes } of edits)
    for (const { path } of changes) columnOf(table.columns, path[0] ?? '');
  const keys = edits.map(({ before }) => keyText(table, before));
  const { results, unlocked } = await connections.transaction(async (transaction) => {
    const now = await lockedRows(transaction, table, keys);
    const due = edits.map((edit, index) => {
      const row = now.get(keys[index] ?? '');
      return row !== undefined && isAsRead(edit, row);
    });
    const chosen = edits.filter((_edit, index) => due[index]);
    const written = (await writeChosen(transaction, table, chosen)).values();
    return {
      results: due.map((isDue): Written =>
        isDue ? (written.next().value as Written) : 'conflict',
      ),
      unlocked: keys.filter((key) => !now.has(key)),
    };
  });
  await waitForOthers(connections, table, unlocked);
  return results;
}

const keyText = ({ columns, key }: Table, row: Row): string =>
  encoded(columnOf(columns, key).kind, row[key]) ?? '';

const byKey = ({ columns, key }: Table): string =>
  `${quoted(key)} = ANY($1::${columnOf(columns, key).type}[])`;

async function lockedRows(
  connection: Connection,
  table: Table,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Row>> {
  const sql = `SELECT * FROM ${table.name} WHERE ${byKey(table)} FOR NO KEY UPDATE SKIP LOCKED`;
  const rows = rowsOf(await connection.query(sql, [textList(keys)]), table.columns);
  const found = new Map(rows.map((row) => [keyText(table, row), row]));
  if (found.size === rows.length) return found;
  throw new AppError<MigrationErrorCode>(
    'MIGRATION_KEY_UNUSABLE',
    `${table.name} has several documents with the same ${table.key}: ` +
      'choose a key that is unique, never changes and orders the documents.',
  );
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
    `SELECT ${key} FROM ${table.name} WHERE ${byKey(table)} LIMIT 1`,
    [textList(unlocked)],
  );
  const [first] = there;
  if (first)
    await connection.query(
      `SELECT ${key} FROM ${table.name} WHERE ${byKey(table)} FOR NO KEY UPDATE`,
      [textList([first['key'] ?? null])],
    );
}

async function writeChosen(
  connection: Connection,
  table: Table,
  edits: readonly Edit[],
): Promise<readonly Written[]> {
  const problems = edits.map((edit) => unencodable(table, edit));
  const good = edits.filter((_edit, index) => problems[index] === undefined);
  const written = (await writeGood(connection, table, good)).values();
  return problems.map((refused) =>
    refused === undefined ? (written.next().value as Written) : { refused },
  );
}

function unencodable({ columns }: Table, { changes }: Edit): string | undefined {
  try {
    for (const change of changes) valueOf(columns, change);
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** All at once; when the database refuses one of them, half of them at a time: few statements find the few to refuse. */
async function writeGood(
  connection: Connection,
  table: Table,
  edits: readonly Edit[],
): Promise<readonly Written[]> {
  if (edits.length === 0) return [];
  const refused = await refusalOf(connection, () => update(connection, table, edits));
  if (refused === undefined) return edits.map(() => 'written');
  if (edits.length === 1) return [{ refused }];
  const half = Math.ceil(edits.length / 2);
  const first = await writeGood(connection, table, edits.slice(0, half));
  return [...first, ...(await writeGood(connection, table, edits.slice(half)))];
}

/** Why nothing of it was written; undefined when all was. */
async function refusalOf(
  connection: Connection,
  work: () => Promise<string | undefined>,
): Promise<string | undefined> {
  await connection.query('SAVEPOINT one');
  let refused: string | undefined;
  try {
    refused = await work();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    refused = messageOf(error);
  }
  await connection.query(`${refused === undefined ? 'RELEASE' : 'ROLLBACK TO'} SAVEPOINT one`);
  return refused;
}

/** One statement for all that change the same paths. Answers with what the database keeps in another form than it was given. */
async function update(
  connection: Connection,
  table: Table,
  edits: readonly Edit[],
): Promise<string | undefined> {
  const key = columnOf(table.columns, table.key);
  const changing = edits.filter(({ changes }) => changes.length > 0);
  for (const group of Map.groupBy(changing, shapeOf).values()) {
    const { changes } = group[0] as Edit;
    const sets = assignments(table.columns, changes);
    const names = ['key', ...changes.map((_change, index) => `v${index}`)];
    const whole = changes.flatMap(({ path }) => (path.length === 1 ? [path[0] ?? ''] : []));
    const returning = [table.key, ...whole].map((name) => `t.${quoted(name)}`);
    const sql =
      `UPDATE ${table.name} AS t SET ${sets} ` +
      `FROM unnest(${names.map((_name, index) => `$${index + 1}::text[]`).join(', ')}) ` +
      `AS v(${names.join(', ')}) WHERE t.${quoted(table.key)} = v.key::${key.type} ` +
      `RETURNING ${returning.join(', ')}`;
    const values = changes.map((_change, index) =>
      textList(group.map((edit) => valueOf(table.columns, edit.changes[index] as Change))),
    );
    const keys = group.map(({ before }) => keyText(table, before));
    const kept = rowsOf(await connection.query(sql, [textList(keys), ...values]), table.columns);
    const altered = alteredOf(table, group, kept);
    if (altered !== undefined) return altered;
  }
  return undefined;
}

/** Rounded, padded or cut: then nobody could tell later that it was us who wrote it. */
function alteredOf(table: Table, edits: readonly Edit[], kept: readonly Row[]): string | undefined {
  const written = new Map(kept.map((row) => [keyText(table, row), row]));
  for (const { before, changes } of edits) {
    const row = written.get(keyText(table, before));
    if (!row) return 'a trigger or rule of the table keeps the document from being written';
    for (const { path, value } of changes) {
      const [name = '', ...inner] = path;
      if (inner.length > 0 || columnOf(table.columns, name).kind === 'json') continue;
      if (!equal(row[name], asKept(value)))
        return `${name} would be kept as ${String(row[name])} instead of ${String(value)}`;
    }
  }
  return undefined;
}

function asKept(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  return typeof value === 'bigint' && BigInt.asIntN(53, value) === value
    ? Number(value)
    : (value ?? null);
}

const shapeOf = ({ changes }: Edit): string =>
  JSON.stringify(changes.map(({ path, value }) => [path, value === undefined]));

const valueOf = (
  columns: Columns,
  { path: [name = '', ...inner], value }: Change,
): string | null =>
  inner.length > 0
    ? value === undefined
      ? null
      : (encoded('json', value) ?? 'null')
    : encoded(columnOf(columns, name).kind, value);

/** Below a column of JSON only what changed is written: the rest stays as it is, to the last digit. */
function assignments(columns: Columns, changes: readonly Change[]): string {
  const sets = new Map<string, string>();
  for (const [index, { path, value }] of changes.entries()) {
    const [name = '', ...inner] = path;
    const { type } = columnOf(columns, name);
    const place = `${literal(textList(inner))}::text[]`;
    const old = sets.get(name) ?? `t.${quoted(name)}::jsonb`;
    if (inner.length === 0) sets.set(name, `v.v${index}::${type}`);
    else if (value === undefined) sets.set(name, `(${old} #- ${place})`);
    else sets.set(name, `jsonb_set(${old}, ${place}, v.v${index}::jsonb)`);
  }
  return [...sets]
    .map(([name, sql]) => {
      const { type, kind } = columnOf(columns, name);
      return `${quoted(name)} = ${kind === 'json' ? `(${sql})::${type}` : sql}`;
    })
    .join(', ');
}
