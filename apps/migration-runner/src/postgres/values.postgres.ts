import { jsonOf, parseJson } from '../target/json.ts';

/** How a column's values are read, filtered and written. */
export type Kind =
  | 'integer' // a number, a bigint where that is too small
  | 'float'
  | 'float4'
  | 'decimal' // a number, as it has at most 15 digits
  | 'boolean'
  | 'text'
  | 'padded' // char(n): blanks at the end do not count
  | 'uuid'
  | 'date'
  | 'timestamp' // ISO text with milliseconds, or microseconds where there are some
  | 'enum'
  | 'json'
  | 'bytes'
  | { readonly list: Kind }
  | 'other'; // in the database's own words, such as a decimal of any length

const KINDS: Readonly<Record<string, Kind>> = {
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  oid: 'integer',
  float8: 'float',
  float4: 'float4',
  bool: 'boolean',
  text: 'text',
  varchar: 'text',
  name: 'text',
  bpchar: 'padded',
  uuid: 'uuid',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamp',
  json: 'json',
  jsonb: 'json',
  bytea: 'bytes',
};

const EXACT_DIGITS = 15;

export function kindOf(type: { base: string; isEnum: boolean; modifier: number }): Kind {
  const { base, isEnum, modifier } = type;
  if (isEnum) return 'enum';
  if (base === 'numeric') {
    const precision = ((modifier - 4) >> 16) & 0xffff;
    const scale = (modifier - 4) & 0x7ff;
    if (modifier < 4) return 'other';
    if (scale === 0) return 'integer';
    return precision <= EXACT_DIGITS && scale <= precision ? 'decimal' : 'other';
  }
  const element = base.startsWith('_') ? KINDS[base.slice(1)] : undefined;
  if (element !== undefined) return element === 'json' ? 'other' : { list: element };
  return KINDS[base] ?? 'other';
}

export function decoded(kind: Kind, text: string | null): unknown {
  if (text === null) return null;
  if (typeof kind === 'object') return list(text).map((each) => decodedEach(kind.list, each));
  switch (kind) {
    case 'integer': {
      const value = Number(text);
      return Number.isSafeInteger(value) || Number.isNaN(value) ? value : BigInt(text);
    }
    case 'float':
    case 'float4':
    case 'decimal':
      return Number(text);
    case 'boolean':
      return text === 't';
    case 'json':
      return parseJson(text);
    case 'bytes':
      return Uint8Array.from(Buffer.from(text.slice(2), 'hex'));
    case 'timestamp':
      return isoOf(text);
    case 'padded':
      return text.replace(/ +$/, '');
    default:
      return text;
  }
}

type Nested = string | null | readonly Nested[];
const decodedEach = (kind: Kind, each: Nested): unknown =>
  Array.isArray(each)
    ? each.map((inner: Nested) => decodedEach(kind, inner))
    : decoded(kind, each as string | null);

/** `2020-01-01 00:00:00.5+00` becomes what Date writes; what is before Christ or infinite stays as it is. */
function isoOf(text: string): string {
  const [, day, time, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(\+00)?$/.exec(text) ?? [];
  if (day === undefined) return text;
  const micros = fraction.padEnd(6, '0');
  const digits = micros.endsWith('000') ? micros.slice(0, 3) : micros;
  return `${day}T${time}.${digits}${zone === undefined ? '' : 'Z'}`;
}

/** As the database reads it. Thrown RangeError for what the column cannot say. */
export function encoded(kind: Kind, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (kind === 'json') return jsonOf(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value) && typeof kind === 'object') return listOf(kind.list, value);
  return typeof value === 'object' ? jsonOf(value) : (value as string | number).toString();
}

const listOf = (kind: Kind, values: readonly unknown[]): string =>
  `{${values.map((each) => (Array.isArray(each) ? listOf(kind, each) : itemOf(encoded(kind, each)))).join(',')}}`;

const BARE = /^(?!null$)[\w.:+-]+$/i;

function itemOf(text: string | null): string {
  if (text === null) return 'NULL';
  return BARE.test(text) ? text : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** A list of texts as the database reads it. */
export const textList = (texts: readonly (string | null)[]): string =>
  `{${texts.map(itemOf).join(',')}}`;

/** `{1,NULL,"a b",{2}}`; bounds that a list may begin with (`[0:1]={…}`) are left out. */
function list(text: string): readonly Nested[] {
  let at = text.indexOf('{');
  const read = (): Nested[] => {
    const items: Nested[] = [];
    at += 1;
    while (text[at] !== '}') {
      if (text[at] === ',') at += 1;
      else if (text[at] === '{') items.push(read());
      else items.push(item());
    }
    at += 1;
    return items;
  };
  const item = (): string | null => {
    const match = /"((?:[^"\\]|\\.)*)"|([^,}]+)/suy;
    match.lastIndex = at;
    const [all = '', quotedText, bare] = match.exec(text) ?? [];
    at += Math.max(all.length, 1);
    if (quotedText !== undefined) return quotedText.replaceAll(/\\(.)/gsu, '$1');
    return bare === 'NULL' ? null : (bare ?? '');
  };
  return read();
}
