import { AppError } from '@tidegate/kernel';
import type { Column, Index, SchemaMigration, Validator } from '@tidegate/migration';
import { conditionOf } from '../target/condition.ts';
import type { Schema } from '../target/target.port.ts';
import { type Columns, columnsOf, literal, quoted, quotedTable } from './columns.postgres.ts';
import type { Connections } from './connection.postgres.ts';
import { jsonPath, postgresTerms } from './terms.postgres.ts';

/** One thing that is built. Its comment in the database says who built it, and what. */
interface Part {
  readonly words: string;
  readonly isThere: boolean;
  readonly isDifferent: boolean;
  readonly build: readonly string[];
  /** Only of what this migration has built. */
  readonly drop: readonly string[];
}

export function postgresSchema(connections: Connections): Schema {
  const parts = async (migration: SchemaMigration): Promise<readonly (() => Promise<Part>)[]> => {
    const own = [
      ...(migration.columns ?? []).map(
        (each) => (columns: Columns) => columnPart(connections, migration, each, columns),
      ),
      ...(migration.indexes ?? []).map(
        (each) => (columns: Columns) => indexPart(connections, migration, each, columns),
      ),
      ...(migration.validators ?? []).map(
        (each) => (columns: Columns) => validatorPart(connections, migration, each, columns),
      ),
    ];
    // Asked for each: an index may be of a column that is added before it.
    return own.map((part) => async () => part(await columnsOf(connections, migration.collection)));
  };
  const missing = async (migration: SchemaMigration): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const part of await parts(migration)) {
      const { words, isThere, isDifferent } = await part();
      if (isDifferent) found.push(`${words} is there, but different`);
      else if (!isThere) found.push(words);
    }
    return found;
  };
  return {
    missing,
    ensure: async (migration) => {
      const different = (await missing(migration)).find((each) => each.endsWith('different'));
      if (different !== undefined) throw new AppError('MIGRATION_TARGET_FAILED', `${different}.`);
      for (const part of await parts(migration)) {
        const { isThere, build } = await part();
        if (!isThere) for (const sql of build) await run(connections, sql);
      }
    },
    drop: async (migration) => {
      for (const part of (await parts(migration)).toReversed())
        for (const sql of (await part()).drop) await run(connections, sql);
    },
  };
}

/** What changes the table itself gives up soon, as everybody would queue behind it; several statements are one transaction. */
const run = async (connections: Connections, sql: string): Promise<unknown> =>
  /^(CREATE|DROP) .*CONCURRENTLY/.test(sql) ? connections.patiently(sql) : connections.query(sql);

const markOf = ({ id }: SchemaMigration, what = ''): string => `tidegate ${id} ${what}`.trim();
/** Of whichever migration. */
const whatOf = (comment: string | null | undefined): string =>
  (comment ?? '').replace(/^tidegate \S+ ?/, '');
const isOurs = (migration: SchemaMigration, comment: string | null | undefined): boolean =>
  comment?.split(' ').slice(0, 2).join(' ') === markOf(migration);

async function columnPart(
  connections: Connections,
  migration: SchemaMigration,
  { name, type }: Column,
  columns: Columns,
): Promise<Part> {
  const table = quotedTable(migration.collection);
  const [row] = await connections.query(
    `SELECT col_description(attrelid, attnum) AS comment FROM pg_attribute
     WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped`,
    [table, name],
  );
  const column = `${table}.${quoted(name)}`;
  return {
    words: `the column ${name}`,
    isThere: columns.has(name),
    isDifferent: false,
    build: [
      `ALTER TABLE ${table} ADD COLUMN ${quoted(name)} ${type}; ` +
        `COMMENT ON COLUMN ${column} IS ${literal(markOf(migration))}`,
    ],
    drop: isOurs(migration, row?.['comment'])
      ? [`ALTER TABLE ${table} DROP COLUMN ${quoted(name)}`]
      : [],
  };
}

const INDEX = `
  SELECT i.indisvalid AS valid, i.indisunique AS unique, obj_description(c.oid) AS comment,
    i.indrelid = to_regclass($2) AS here,
    (SELECT string_agg(pg_get_indexdef(c.oid, n, true) || CASE WHEN i.indoption[n - 1] & 1 = 1 THEN ' DESC' ELSE '' END, ', ' ORDER BY n)
     FROM generate_series(1, i.indnkeyatts) n) AS keys,
    pg_get_expr(i.indpred, i.indrelid) AS only, format('%I.%I', s.nspname, c.relname) AS name
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace s ON s.oid = c.relnamespace
  WHERE c.relname = $1 AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass($2))`;

/** Built while others write. A build that failed leaves an invalid index, which is taken away first. */
async function indexPart(
  connections: Connections,
  migration: SchemaMigration,
  { name, fields, unique = false }: Index,
  columns: Columns,
): Promise<Part> {
  const table = quotedTable(migration.collection);
  const [row] = await connections.query(INDEX, [name, table]);
  const keys = Object.entries(fields).map(([path, direction]) => {
    const [column = '', ...inner] = path.split('.');
    const isInner = inner.length > 0 && columns.get(column)?.kind === 'json';
    return `${isInner ? `(${jsonPath(column, inner)})` : quoted(path)}${direction === -1 ? ' DESC' : ''}`;
  });
  const what = `${unique ? 'unique ' : ''}${keys.join(', ')}`;
  const isValid = row?.['valid'] === 't';
  const isSame =
    row?.['here'] === 't' &&
    (whatOf(row['comment']) === what ||
      ((row['unique'] === 't') === unique &&
        row['only'] === null &&
        plain(row['keys']) === plain(keys.join(', '))));
  const drop = `DROP INDEX CONCURRENTLY IF EXISTS ${row?.['name'] ?? quoted(name)}`;
  const schema = migration.collection.includes('.')
    ? quotedTable(migration.collection.replace(/\.[^.]*$/, ''))
    : '';
  return {
    words: `the index ${name}`,
    isThere: isValid,
    isDifferent: isValid && !isSame,
    build: [
      ...(row && !isValid ? [drop] : []),
      `CREATE ${unique ? 'UNIQUE ' : ''}INDEX CONCURRENTLY ${quoted(name)} ON ${table} (${keys.join(', ')})`,
      `COMMENT ON INDEX ${schema === '' ? '' : `${schema}.`}${quoted(name)} IS ${literal(markOf(migration, what))}`,
    ],
    drop: isOurs(migration, row?.['comment']) || (row && !isValid) ? [drop] : [],
  };
}

const plain = (keys: string | null | undefined): string => (keys ?? '').replaceAll(/["\s]/g, '');

/** What is there already is not looked at. */
async function validatorPart(
  connections: Connections,
  migration: SchemaMigration,
  { name, rule }: Validator,
  columns: Columns,
): Promise<Part> {
  const table = quotedTable(migration.collection);
  const [row] = await connections.query(
    `SELECT obj_description(oid, 'pg_constraint') AS comment FROM pg_constraint
     WHERE conrelid = to_regclass($1) AND conname = $2`,
    [table, name],
  );
  const condition = conditionOf([rule], postgresTerms(columns, literal));
  const comment = markOf(migration, condition);
  const constraint = quoted(name);
  return {
    words: `the rule ${name}`,
    isThere: row !== undefined,
    isDifferent: row !== undefined && whatOf(row['comment']) !== condition,
    build: [
      `ALTER TABLE ${table} ADD CONSTRAINT ${constraint} CHECK (${condition}) NOT VALID; ` +
        `COMMENT ON CONSTRAINT ${constraint} ON ${table} IS ${literal(comment)}`,
    ],
    drop: isOurs(migration, row?.['comment'])
      ? [`ALTER TABLE ${table} DROP CONSTRAINT ${constraint}`]
      : [],
  };
}
