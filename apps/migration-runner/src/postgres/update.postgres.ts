import { messageOf } from '@tidegate/kernel';
import { type Change, type Edit, equal, type Row } from '@tidegate/migration';
import type { Selection } from '../target/target.port.ts';
import { notUnique } from '../target/unique-keys.ts';
import { type Columns, columnOf, literal, quoted } from './columns.postgres.ts';
import {
  type Connection,
  isLocked,
  isRefusal,
  type Table as Texts,
} from './connection.postgres.ts';
import { decoded, encoded, textList } from './values.postgres.ts';

export interface Table {
  readonly selection: Selection;
  readonly name: string;
  readonly key: string;
  readonly columns: Columns;
}

/** An edit as it is sent. */
export interface Encoded {
  readonly edit: Edit;
  readonly key: string;
  /** Of its changes, in their order. */
  readonly values: readonly (string | null)[];
  /** What the row must be of still; left out: it is locked, and was compared. */
  readonly version?: string;
}

/** An edit that cannot be sent. */
export interface Refused {
  readonly edit: Edit;
  readonly key: string;
  readonly refused: string;
}

export const isEncoded = (edit: Encoded | Refused): edit is Encoded => 'values' in edit;

export function encodedEdit(table: Table, edit: Edit): Encoded | Refused {
  const key = keyText(table, edit.before);
  try {
    return { edit, key, values: edit.changes.map((change) => valueOf(table.columns, change)) };
  } catch (error) {
    if (error instanceof RangeError) return { edit, key, refused: error.message };
    throw error;
  }
}

const valueOf = (
  columns: Columns,
  { path: [name = '', ...inner], value }: Change,
): string | null => {
  const { kind } = columnOf(columns, name);
  if (inner.length === 0) return encoded(kind, value);
  return value === undefined ? null : (encoded('json', value) ?? 'null');
};

export const keyText = ({ columns, key }: Table, row: Row): string =>
  encoded(columnOf(columns, key).kind, row[key]) ?? '';

export const isOneOf = ({ columns, key }: Table): string =>
  `${quoted(key)} = ANY($1::${columnOf(columns, key).type}[])`;

interface Updated {
  /** Keys. */
  readonly written: ReadonlySet<string>;
  /** Why one of them must not be written; then the caller goes back. */
  readonly refused?: string;
}

/** One statement for all that change the same paths. */
export async function update(
  connection: Connection,
  table: Table,
  edits: readonly Encoded[],
): Promise<Updated> {
  const written = new Set<string>();
  for (const group of Map.groupBy(edits, shapeOf).values()) {
    const [first] = group;
    if (!first || first.values.length === 0) continue;
    try {
      const kept = await connection.table(...statementFor(table, group, first.edit.changes));
      const refused = refusedIn(table, group, kept, written);
      if (refused !== undefined) return { written, refused };
    } catch (error) {
      if (!isRefusal(error) && !(first.version !== undefined && isLocked(error))) throw error;
      return { written, refused: messageOf(error) };
    }
  }
  return { written };
}

function shapeOf({ edit: { changes } }: Encoded): string {
  let shape = '';
  for (const { path, value } of changes)
    shape += `${value === undefined ? '-' : '+'}${path.length}:${path.join('\0')}\n`;
  return shape;
}

function statementFor(table: Table, group: readonly Encoded[], changes: readonly Change[]) {
  const { name, columns } = table;
  const { type } = columnOf(columns, table.key);
  const key = `t.${quoted(table.key)}`;
  const isVersioned = group[0]?.version !== undefined;
  const given = [
    { name: 'key', texts: group.map((each) => each.key) },
    ...(isVersioned
      ? [{ name: 'version', texts: group.map(({ version }) => version ?? null) }]
      : []),
    ...changes.map((_change, at) => ({
      name: `v${at}`,
      texts: group.map(({ values }) => values[at] ?? null),
    })),
  ];
  const lists = given.map((_each, at) => `$${at + 1}::text[]`).join(', ');
  const returning = [table.key, ...whole(columns, changes).map(({ name: each }) => each)];
  const sql =
    `UPDATE ${name} AS t SET ${assignments(columns, changes)} ` +
    `FROM unnest(${lists}) AS v(${given.map((each) => each.name).join(', ')}) ` +
    `WHERE ${key} = v.key::${type}${isVersioned ? ' AND t.xmin = v.version::xid' : ''} ` +
    `RETURNING ${returning.map((each) => `t.${quoted(each)}`).join(', ')}`;
  return [sql, given.map(({ texts }) => textList(texts))] as const;
}

/** Columns that are written whole, and whose values are compared with what the database keeps. */
const whole = (columns: Columns, changes: readonly Change[]) =>
  changes.flatMap(({ path: [name = '', ...inner] }, at) => {
    const { kind } = columnOf(columns, name);
    return inner.length > 0 || kind === 'json' ? [] : [{ name, kind, at }];
  });

/** Rounded, padded or cut: then nobody could tell later that it was us who wrote it. */
function refusedIn(
  table: Table,
  group: readonly Encoded[],
  { rows }: Texts,
  written: Set<string>,
): string | undefined {
  const { kind: keyKind } = columnOf(table.columns, table.key);
  const byKey = new Map(
    rows.map((row) => [encoded(keyKind, decoded(keyKind, row[0] ?? null)) ?? '', row]),
  );
  if (byKey.size < rows.length) throw notUnique(table.selection, 'id');
  const compared = whole(table.columns, group[0]?.edit.changes ?? []);
  for (const { key, version, edit } of group) {
    const row = byKey.get(key);
    if (row) written.add(key);
    else if (version === undefined)
      return 'a trigger or rule of the table keeps the document from being written';
    else continue;
    for (const [index, { name, kind, at }] of compared.entries()) {
      const value = edit.changes[at]?.value;
      const kept = decoded(kind, row[index + 1] ?? null);
      if (!equal(kept, asKept(value)))
        return `${name} would be kept as ${String(kept)} instead of ${String(value)}`;
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
