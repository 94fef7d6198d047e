import type { Path } from '@tidegate/migration';
import { type Terms } from '../target/condition.ts';

/** What a table has: names as they are written, and whether the column holds JSON. */
export type Columns = ReadonlyMap<string, { readonly isJson: boolean }>;

type Scalar = string | number | bigint;

/** A value as SQL that can be asked for its type. */
interface Place {
  readonly value: string;
  readonly text: string;
  readonly number: string;
  /** Numbers, with true and false for 1 and 0. */
  readonly equalNumber: string;
  readonly isNull: string;
}

/**
 * @param bind what stands for a value in the SQL
 * @param row what stands before the name of a column
 */
export function sqliteTerms(columns: Columns, bind: (value: Scalar) => string, row = ''): Terms {
  const place = ([name = '', ...inner]: Path): Place => {
    const column = `${row}${quoted(name)}`;
    if (columns.get(name)?.isJson === true) return inJson(column, inner);
    // A column that is not there is named, so that the database says so.
    return inner.length === 0 || !columns.has(name) ? inColumn(column) : NOWHERE;
  };
  return {
    oneOf: (path, values) => {
      const at = place(path);
      const texts = values.filter((value) => typeof value === 'string');
      const numbers = values.filter((value) => typeof value !== 'string');
      return [
        ...(texts.length > 0
          ? [`(${at.text} AND ${at.value} COLLATE BINARY IN (${texts.map(bind).join(', ')}))`]
          : []),
        ...(numbers.length > 0
          ? [`(${at.equalNumber} AND ${at.value} IN (${numbers.map(bind).join(', ')}))`]
          : []),
      ].join(' OR ');
    },
    isNull: (path) => place(path).isNull,
    ordered: (path, operator, value) => {
      const at = place(path);
      return typeof value === 'string'
        ? `${at.text} AND ${at.value} COLLATE BINARY ${operator} ${bind(value)}`
        : `${at.number} AND ${at.value} ${operator} ${bind(value)}`;
    },
  };
}

/** By type, since a column with a type would compare '5' and 5 as the same. */
function inColumn(column: string): Place {
  const number = `typeof(${column}) IN ('integer', 'real')`;
  const text = `typeof(${column}) = 'text'`;
  return { value: column, text, number, equalNumber: number, isNull: `${column} IS NULL` };
}

function inJson(column: string, inner: Path): Place {
  const path = jsonPlace(inner);
  const type = `CASE WHEN json_valid(${column}) THEN json_type(${column}, ${path}) ELSE 'null' END`;
  const is = (...types: string[]): string =>
    `coalesce(${type}, 'null') IN (${types.map((each) => `'${each}'`).join(', ')})`;
  return {
    value: `json_extract(${column}, ${path})`,
    text: is('text'),
    number: is('integer', 'real'),
    equalNumber: is('integer', 'real', 'true', 'false'),
    isNull: is('null'),
  };
}

const NOWHERE: Place = {
  value: 'NULL',
  text: 'FALSE',
  number: 'FALSE',
  equalNumber: 'FALSE',
  isNull: 'TRUE',
};

/** A path into JSON. SQLite reads a quoted name as JSON does: a quote or backslash in it is escaped. */
export const jsonPlace = (inner: Path): string =>
  literal(`$${inner.map((name) => `.${JSON.stringify(name)}`).join('')}`);

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** For SQL that is kept, as that of a trigger. */
export const literalOf = (value: Scalar): string =>
  typeof value === 'string' ? literal(value) : String(value);
