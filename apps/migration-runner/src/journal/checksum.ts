import { hash } from 'node:crypto';
import { type Edit, isPlain, type Path, type Row, valueAt } from '@tidegate/migration';

/** 96 bits: by chance no two of thousands of millions of documents have the same. */
const LENGTH = 16;

/**
 * Of the values at these paths, or of the whole document. Stays the same when a database gives a value back in another
 * form than it was given: 1 for true, the text of a date, object or decimal, fields in another order, null for a column
 * without value.
 */
export const checksum = (document: Row, paths: readonly Path[] | undefined): string =>
  hashed(paths ? partsOf(document, paths) : outermost(document));

function outermost(document: Row): string {
  const texts = new Map<string, string>();
  for (const name of Object.keys(document)) addField(texts, document, name);
  return joined(texts);
}

/** Null and absent are the same here. */
function addField(texts: Map<string, string>, document: Row, name: string): void {
  const value = Object.hasOwn(document, name) ? (document[name] ?? null) : null;
  if (value === null) texts.delete(name);
  else texts.set(name, quoted(name) + textOf(value));
}

function joined(texts: ReadonlyMap<string, string>): string {
  let all = '';
  for (const name of [...texts.keys()].sort()) all += texts.get(name);
  return all;
}

/** Before an edit and after it; what it does not change is looked at once. */
export function checksums({ before, after, changes, compare }: Edit): readonly [string, string] {
  if (compare) return [checksum(before, compare), checksum(after, compare)];
  const texts = new Map<string, string>();
  for (const name of Object.keys(before)) addField(texts, before, name);
  const first = joined(texts);
  for (const { path } of changes) addField(texts, after, path[0] ?? '');
  return [hashed(first), hashed(joined(texts))];
}

const hashed = (text: string): string => hash('sha256', text, 'base64url').slice(0, LENGTH);

/** The same list of paths is asked for again with each document. */
const NAMES = new WeakMap<readonly Path[], readonly string[]>();

function partsOf(document: Row, paths: readonly Path[]): string {
  const names = NAMES.get(paths) ?? paths.map((path) => `${path.map(quoted).join('')}=`);
  NAMES.set(paths, names);
  let all = '';
  for (const [index, path] of paths.entries()) all += names[index] + partAt(document, path);
  return all;
}

/** Null and absent are the same in a column, not inside of one. */
function partAt(document: Row, path: Path): string {
  const value = valueAt(document, path);
  return value === undefined && path.length > 1 ? 'absent' : textOf(value);
}

function fieldsOf(object: Row): string {
  let all = '{';
  for (const name of inOrder(Object.keys(object)))
    if (object[name] !== undefined) all += quoted(name) + textOf(object[name]);
  return `${all}}`;
}

/** In place. Objects have few fields, often in order: this takes a fifth off the whole checksum, other than `sort`. */
function inOrder(names: string[]): string[] {
  if (names.length > 16) return names.sort();
  for (let at = 1; at < names.length; at += 1) {
    const name = names[at] as string;
    let to = at;
    for (; to > 0 && (names[to - 1] as string) > name; to -= 1) names[to] = names[to - 1] as string;
    names[to] = name;
  }
  return names;
}

/** With its length: nothing needs to be escaped. */
const quoted = (text: string): string => `"${text.length}:${text}`;

/** One text for each value, and none the beginning of another; values that databases make of each other have the same. */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return stringText(value);
    case 'number':
      return numberText(value);
    case 'bigint':
      return `${value};`;
    case 'boolean':
      return value ? '1;' : '0;';
    case 'object':
      return value === null ? 'null' : objectText(value);
    default:
      return 'null';
  }
}

const numberText = (value: number): string =>
  Number.isInteger(value) && !Number.isSafeInteger(value) ? `${BigInt(value)};` : `${value};`;

/** Longer text is text: finding its last zeros would take too long. */
const LONGEST_DECIMAL = 100;
const DECIMAL = /^(-?)0*(\d+)(?:\.(\d*?)0*)?$/;

function stringText(text: string): string {
  const first = text.charCodeAt(0);
  if (first === 123 || first === 91) return parsedText(text); // { or [
  const mayBeNumber = first === 45 || (first >= 48 && first <= 57); // - or a digit
  const found = mayBeNumber && text.length <= LONGEST_DECIMAL ? DECIMAL.exec(text) : null;
  if (!found) return quoted(text);
  const [, sign = '', whole = '', rest = ''] = found;
  const digits = rest === '' ? whole : `${whole}.${rest}`;
  return digits === '0' ? '0;' : `${sign}${digits};`;
}

function parsedText(text: string): string {
  try {
    return textOf(JSON.parse(text));
  } catch {
    return quoted(text); // text that only begins as JSON does
  }
}

const NUMBERS = new Set(['Long', 'Int32', 'Double', 'Decimal128']);

function objectText(value: object): string {
  if (Array.isArray(value)) {
    let all = '[';
    for (const each of value) all += textOf(each);
    return `${all}]`;
  }
  if (isPlain(value)) return fieldsOf(value);
  if (Object.prototype.toString.call(value) === '[object Date]')
    return quoted((value as Date).toJSON() ?? 'no date');
  if (ArrayBuffer.isView(value)) return `bytes${hash('sha256', value as Uint8Array, 'base64url')}`;
  const driverValue = value as { readonly _bsontype?: string; toString(): string };
  const { _bsontype: type } = driverValue;
  if (type !== undefined && NUMBERS.has(type)) return stringText(driverValue.toString());
  return quoted(`${type ?? value.constructor.name}:${JSON.stringify(value)}`);
}
