import { hash } from 'node:crypto';
import { isPlain, type Path, type Row, valueAt } from '@tidegate/migration';

/** 96 bits: by chance no two of thousands of millions of documents have the same. */
const LENGTH = 16;

/**
 * Of the values at these paths, or of the whole document. Stays the same when a database gives a value back in another
 * form than it was given: 1 for true, the text of a date, object or decimal, fields in another order, null for a column
 * without value.
 */
export const checksum = (document: Row, paths: readonly Path[] | undefined): string =>
  hash('sha256', paths ? partsOf(document, paths) : outermost(document), 'base64url').slice(
    0,
    LENGTH,
  );

const partsOf = (document: Row, paths: readonly Path[]): string =>
  paths.map((path) => `${JSON.stringify(path)}=${partAt(document, path)}`).join('\n');

/** Null and absent are the same in a column, not inside of one. */
function partAt(document: Row, path: Path): string {
  const value = valueAt(document, path);
  return value === undefined && path.length > 1 ? 'absent' : textOf(value);
}

const outermost = (document: Row): string =>
  fieldsOf(document, (value) => value !== null && value !== undefined);

function fieldsOf(object: Row, isKept: (value: unknown) => boolean): string {
  let text = '{';
  for (const name of Object.keys(object).sort())
    if (isKept(object[name])) text += `${JSON.stringify(name)}:${textOf(object[name])},`;
  return `${text}}`;
}

/** One text for each value; values that databases make of each other have the same. */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return stringText(value);
    case 'number':
      return Number.isInteger(value) ? String(BigInt(value)) : String(value);
    case 'bigint':
      return String(value);
    case 'boolean':
      return value ? '1' : '0';
    case 'object':
      return value === null ? 'null' : objectText(value);
    default:
      return 'null';
  }
}

const DECIMAL = /^(-?)0*(\d+)(?:\.(\d*?)0*)?$/;

function stringText(text: string): string {
  const first = text.charCodeAt(0);
  if (first === 123 || first === 91) return parsedText(text); // { or [
  const [, sign = '', whole, rest = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return JSON.stringify(text);
  const digits = rest === '' ? whole : `${whole}.${rest}`;
  return digits === '0' ? '0' : sign + digits;
}

function parsedText(text: string): string {
  try {
    return textOf(JSON.parse(text));
  } catch {
    return JSON.stringify(text); // text that only begins as JSON does
  }
}

const NUMBERS = new Set(['Long', 'Int32', 'Double', 'Decimal128']);

function objectText(value: object): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (isPlain(value)) return fieldsOf(value, (each) => each !== undefined);
  if (value instanceof Date || Object.prototype.toString.call(value) === '[object Date]')
    return JSON.stringify(value);
  if (ArrayBuffer.isView(value)) return `bytes:${hash('sha256', value as Uint8Array, 'base64url')}`;
  const driverValue = value as { readonly _bsontype?: string; toString(): string };
  const { _bsontype: type } = driverValue;
  if (type !== undefined && NUMBERS.has(type)) return stringText(driverValue.toString());
  return `${type ?? value.constructor.name}:${JSON.stringify(value)}`;
}
