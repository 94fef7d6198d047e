import { AppError } from '@tidegate/kernel';
import type { MigrationErrorCode } from '../errors.ts';
import type { Connection, Connections } from './connection.postgres.ts';
import { kindOf, type Kind } from './values.postgres.ts';

export interface ColumnOf {
  readonly kind: Kind;
  /** Its type without length or precision, as SQL: a cast to it cuts nothing off. */
  readonly type: string;
  readonly isNullable: boolean;
}
export interface Columns extends ReadonlyMap<string, ColumnOf> {
  /** Rows tell by themselves whether somebody edited them; those of views, and tables that are kept elsewhere, do not. */
  readonly hasVersions: boolean;
  /** False where another result of `SELECT *` had other columns: they were asked for too long ago, and are asked for again. */
  isStill(columnsOfResult: string): boolean;
}

/** A domain is read as what it is based on. */
const QUERY = `
  SELECT a.attname AS name, b.typname AS base, b.typtype AS "typeKind",
    CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS modifier,
    format('%I.%I', n.nspname, b.typname) AS type, a.attnotnull AS "isRequired",
    c.relkind AS "relationKind"
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  JOIN pg_namespace n ON n.oid = b.typnamespace
  WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum`;

const KNOWN = new WeakMap<Connections, Map<string, Promise<Columns>>>();

/** Asked once, and again when rows come with other columns: others may add one meanwhile. */
export function knownColumnsOf(connections: Connections, collection: string): Promise<Columns> {
  const known = KNOWN.get(connections) ?? new Map<string, Promise<Columns>>();
  KNOWN.set(connections, known);
  const forget = () => known.delete(collection);
  const columns = known.get(collection) ?? columnsOf(connections, collection, forget);
  known.set(collection, columns);
  columns.catch(forget);
  return columns;
}

/** As they are now. */
export async function columnsOf(
  connection: Connection,
  collection: string,
  whenChanged: () => void = () => {},
): Promise<Columns> {
  const rows = await connection.query(QUERY, [quotedTable(collection)]);
  if (rows.length === 0)
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_TARGET_FAILED',
      `The database has no table ${collection}.`,
    );
  const columns = new Map(
    rows.map(({ name = '', base, typeKind, modifier, type, isRequired }) => [
      String(name),
      {
        kind: kindOf({
          base: String(base),
          isEnum: typeKind === 'e',
          modifier: Number(modifier),
        }),
        type: String(type),
        isNullable: isRequired !== 't',
      },
    ]),
  );
  let before: string | undefined;
  const isStill = (now: string): boolean => {
    before ??= now;
    if (now !== before) whenChanged();
    return now === before;
  };
  return Object.assign(columns, { hasVersions: rows[0]?.['relationKind'] === 'r', isStill });
}

export function columnOf(columns: Columns, name: string): ColumnOf {
  const column = columns.get(name);
  if (column) return column;
  throw new AppError<MigrationErrorCode>(
    'MIGRATION_TARGET_FAILED',
    `The table has no column ${name}; it has ${[...columns.keys()].join(', ')}.`,
  );
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** `schema.table`, or a table of the search path. */
export const quotedTable = (name: string): string => name.split('.').map(quoted).join('.');
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
