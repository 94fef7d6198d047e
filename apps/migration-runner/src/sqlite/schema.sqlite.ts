import type { DatabaseSync } from 'node:sqlite';
import { AppError } from '@tidegate/kernel';
import type { Column, Index, SchemaMigration, Validator } from '@tidegate/migration';
import { conditionOf } from '../target/condition.ts';
import type { Schema } from '../target/target.port.ts';
import {
  type Columns,
  jsonPlace,
  literal,
  literalOf,
  quoted,
  sqliteTerms,
} from './terms.sqlite.ts';

/** One thing that is built, and the SQL of what is there under its name. */
interface Part {
  readonly words: string;
  readonly isThere: boolean;
  readonly isDifferent: boolean;
  readonly build: readonly string[];
  /** Only of what this migration has built. */
  readonly drop: readonly string[];
}

export function sqliteSchema(
  database: DatabaseSync,
  columnsOf: (table: string) => Columns,
  attempt: <T>(work: () => T) => Promise<T>,
): Schema {
  const parts = (migration: SchemaMigration): readonly Part[] => [
    ...(migration.columns ?? []).map((each) => columnPart(database, migration, each)),
    ...(migration.indexes ?? []).map((each) =>
      indexPart(database, migration, each, columnsOf(migration.collection)),
    ),
    ...(migration.validators ?? []).map((each) =>
      validatorPart(database, migration, each, columnsOf(migration.collection)),
    ),
  ];
  const missing = (migration: SchemaMigration): readonly string[] =>
    parts(migration).flatMap(({ words, isThere, isDifferent }) => {
      if (isDifferent) return [`${words} is there, but different`];
      return isThere ? [] : [words];
    });
  return {
    missing: (migration) => attempt(() => missing(migration)),
    ensure: (migration) =>
      attempt(() => {
        const different = missing(migration).find((each) => each.endsWith('different'));
        if (different !== undefined) throw new AppError('MIGRATION_TARGET_FAILED', `${different}.`);
        // Each by itself: an index may be of a column that is added before it.
        const count = parts(migration).length;
        for (let at = 0; at < count; at += 1) {
          const part = parts(migration)[at];
          if (part?.isThere === false) for (const sql of part.build) database.exec(sql);
        }
      }),
    drop: (migration) =>
      attempt(() => {
        for (const { drop } of parts(migration).toReversed())
          for (const sql of drop) database.exec(sql);
      }),
  };
}

/** Kept by SQLite with the text of what was built. */
const mark = ({ id }: SchemaMigration): string => `/* tidegate ${id.replaceAll('*/', '')} */`;

function indexPart(
  database: DatabaseSync,
  migration: SchemaMigration,
  { name, fields, unique = false }: Index,
  columns: Columns,
): Part {
  const keys = Object.entries(fields).map(([path, direction]) => {
    const [column = '', ...inner] = path.split('.');
    const isInner = inner.length > 0 && columns.get(column)?.isJson !== false;
    const key = isInner ? `json_extract(${quoted(column)}, ${jsonPlace(inner)})` : quoted(path);
    return `${key}${direction === -1 ? ' DESC' : ''}`;
  });
  const sql =
    `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${quoted(name)} ON ${quoted(migration.collection)} ` +
    `(${keys.join(', ')}`;
  const there = textOf(database, 'index', name);
  return {
    words: `the index ${name}`,
    isThere: there !== undefined,
    isDifferent: there !== undefined && plain(there) !== plain(`${sql})`),
    build: [`${sql} ${mark(migration)})`],
    drop: there?.includes(mark(migration)) === true ? [`DROP INDEX ${quoted(name)}`] : [],
  };
}

function columnPart(
  database: DatabaseSync,
  migration: SchemaMigration,
  { name, type }: Column,
): Part {
  const table = quoted(migration.collection);
  const there = database
    .prepare(`SELECT 1 FROM pragma_table_xinfo(?) WHERE name = ? COLLATE NOCASE`)
    .get(migration.collection, name);
  const sql = `${quoted(name)} ${mark(migration)} ${type}`;
  const isOurs = textOf(database, 'table', migration.collection)?.includes(sql) === true;
  return {
    words: `the column ${name}`,
    isThere: there !== undefined,
    isDifferent: false,
    build: [`ALTER TABLE ${table} ADD COLUMN ${sql}`],
    drop: isOurs ? [`ALTER TABLE ${table} DROP COLUMN ${quoted(name)}`] : [],
  };
}

/** SQLite cannot add a CHECK to a table: two triggers refuse what breaks the rule. */
function validatorPart(
  database: DatabaseSync,
  migration: SchemaMigration,
  { name, rule }: Validator,
  columns: Columns,
): Part {
  const condition = conditionOf([rule], sqliteTerms(columns, literalOf, 'NEW.'));
  const message = literal(`${migration.collection} does not keep to ${name}`);
  const triggers = (['INSERT', 'UPDATE'] as const).map((what) => {
    const trigger = `${name} ${what.toLowerCase()}`;
    const sql =
      `CREATE TRIGGER ${quoted(trigger)} BEFORE ${what} ON ${quoted(migration.collection)} ` +
      `WHEN NOT (${condition}) BEGIN SELECT RAISE(ABORT, ${message}); ${mark(migration)} END`;
    return { trigger, sql, there: textOf(database, 'trigger', trigger) };
  });
  return {
    words: `the rule ${name}`,
    isThere: triggers.every(({ there }) => there !== undefined),
    isDifferent: triggers.some(
      ({ there, sql }) => there !== undefined && plain(there) !== plain(sql),
    ),
    build: triggers.filter(({ there }) => there === undefined).map(({ sql }) => sql),
    drop: triggers
      .filter(({ there }) => there?.includes(mark(migration)))
      .map(({ trigger }) => `DROP TRIGGER ${quoted(trigger)}`),
  };
}

function textOf(database: DatabaseSync, type: string, name: string): string | undefined {
  const row = database
    .prepare('SELECT sql FROM sqlite_schema WHERE type = ? AND name = ?')
    .get(type, name);
  return row && String(row['sql']);
}

/** Without what does not count: the mark, white space, quotes and case. */
const plain = (sql: string): string =>
  sql
    .replaceAll(/\/\*.*?\*\//g, '')
    .replaceAll(/[\s"]/g, '')
    .toLowerCase();
