import type { Path } from '@tidegate/migration';
import type { Terms } from '../target/condition.ts';
import { type Columns, type ColumnOf, columnOf, literal, quoted } from './columns.postgres.ts';
import { textList } from './values.postgres.ts';

type Scalar = string | number | bigint;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DAY = /^\d{4}-\d\d-\d\d$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(\d{3})?Z?$/;
const MAX_INTEGER = 2n ** 63n;

/** @param bind what stands for a text in the SQL */
export function postgresTerms(columns: Columns, bind: (text: string) => string): Terms {
  const oneOf = (sql: string, type: string, values: readonly Scalar[]): string =>
    values.length === 0
      ? 'FALSE'
      : values.length === 1
        ? `${sql} IS NOT NULL AND ${sql} = ${bind(String(values[0]))}::${type}`
        : `${sql} IS NOT NULL AND ${sql} = ANY(${bind(textList(values.map(String)))}::${type}[])`;
  const asText = (sql: string): string => `(${sql})::text COLLATE "C"`;
  return {
    oneOf: (path, values) => {
      const at = placeOf(columns, path);
      if ('nowhere' in at) return 'FALSE';
      if ('json' in at) return `${at.json} IS NOT NULL AND ${equalJson(at.json, values, bind)}`;
      const { sql, column } = at;
      const { type, can } = equality(column, values);
      return oneOf(type === 'text' && column.kind !== 'text' ? `(${sql})::text` : sql, type, can);
    },
    isNull: (path) => {
      const at = placeOf(columns, path);
      if ('nowhere' in at) return 'TRUE';
      return 'json' in at
        ? `${at.json} IS NULL OR ${at.json} = 'null'::jsonb`
        : `${at.sql} IS NULL`;
    },
    ordered: (path, operator, bound) => {
      const at = placeOf(columns, path);
      if ('nowhere' in at) return 'FALSE';
      if ('json' in at) {
        const { json } = at;
        const [type, test] =
          typeof bound === 'string'
            ? ['string', `${asText(`${json} #>> '{}'`)} ${operator} ${bind(bound)}::text`]
            : ['number', `${json} ${operator} ${bind(String(bound))}::jsonb`];
        return `CASE WHEN jsonb_typeof(${json}) = '${type}' THEN ${test} ELSE FALSE END`;
      }
      const { sql, column } = at;
      const type = ordering(column, bound);
      if (type === undefined) return 'FALSE';
      const left = type === 'text' ? asText(sql) : sql;
      const isNumber = typeof bound === 'number' && column.kind !== 'integer';
      const test = `${left} IS NOT NULL AND ${left} ${operator} ${bind(String(bound))}::${type}`;
      return isNumber ? `${sql} <> 'NaN' AND ${test}` : test;
    },
  };
}

type Place =
  | { readonly sql: string; readonly column: ColumnOf }
  | { readonly json: string }
  | { readonly nowhere: true };

function placeOf(columns: Columns, [name = '', ...inner]: Path): Place {
  const column = columnOf(columns, name);
  if (column.kind === 'json') return { json: jsonPath(name, inner) };
  return inner.length > 0 ? { nowhere: true } : { sql: quoted(name), column };
}

/** Steps into objects only, never to a place in a list. */
export const jsonPath = (column: string, inner: Path): string =>
  `(${[`${quoted(column)}::jsonb`, ...inner.map(literal)].join(' -> ')})`;

function equalJson(
  json: string,
  values: readonly Scalar[],
  bind: (text: string) => string,
): string {
  const texts = values.flatMap((value) => {
    if (typeof value === 'string') return [JSON.stringify(value)];
    const isTruth = value === 0 ? ['false'] : value === 1 ? ['true'] : [];
    return [String(value), ...isTruth];
  });
  return texts.length === 1
    ? `${json} = ${bind(texts[0] ?? '')}::jsonb`
    : `${json} = ANY(${bind(textList(texts))}::jsonb[])`;
}

/** By what a value of the column can equal at all, so that its index is of use. */
function equality(
  column: ColumnOf,
  values: readonly Scalar[],
): { type: string; can: readonly Scalar[] } {
  const texts = values.filter((value) => typeof value === 'string');
  const numbers = values.filter((value) => typeof value !== 'string');
  switch (column.kind) {
    case 'integer':
      return { type: 'int8', can: numbers.filter(isInteger).map((value) => BigInt(value)) };
    case 'float':
      return { type: 'float8', can: numbers };
    case 'float4':
      return { type: 'float4', can: numbers };
    case 'decimal':
      return { type: 'numeric', can: numbers };
    case 'boolean':
      return { type: 'boolean', can: numbers.filter((value) => value === 0 || value === 1) };
    case 'uuid':
      return { type: 'uuid', can: texts.filter((value) => UUID.test(value)) };
    case 'date':
      return { type: 'date', can: texts.filter((value) => DAY.test(value)) };
    case 'timestamp':
      return { type: column.type, can: texts.filter((value) => MOMENT.test(value)) };
    case 'enum':
      return { type: column.type, can: texts };
    default:
      return { type: 'text', can: hasText(column) ? texts : [] };
  }
}

function ordering(column: ColumnOf, bound: string | number): string | undefined {
  const kind = column.kind;
  if (typeof bound === 'number') {
    if (kind === 'integer') return isInteger(bound) ? 'int8' : 'numeric';
    if (kind === 'decimal') return 'numeric';
    return kind === 'float' ? 'float8' : kind === 'float4' ? 'float4' : undefined;
  }
  if (kind === 'timestamp') return column.type;
  if (kind === 'date' && DAY.test(bound)) return 'date';
  return hasText(column) ? 'text' : undefined;
}

/** Whether it is read as text, in whatever form. */
const hasText = ({ kind }: ColumnOf): boolean =>
  typeof kind === 'string' &&
  ['text', 'padded', 'uuid', 'date', 'timestamp', 'enum', 'other'].includes(kind);

const isInteger = (value: number | bigint): boolean =>
  (typeof value === 'bigint' || Number.isInteger(value)) &&
  BigInt(value) < MAX_INTEGER &&
  BigInt(value) >= -MAX_INTEGER;
