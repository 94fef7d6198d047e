type Headers = Readonly<Record<string, string>>;

/**
 * Headers as they stand in the file: a JSON array of the usual ones' values, in the order below, then the object of the
 * others, if there are any; nulls at the end are left out. 0 stands for what is always so: `USUAL`, or for the subject
 * the record's key. The order is for ever; what is new begins a new format of the file.
 */
type Packed = readonly (string | 0 | null | undefined | Headers)[];
const NAMES = [
  'ce_id',
  'ce_source',
  'ce_type',
  'ce_time',
  'ce_actor',
  'ce_correlationid',
  'ce_subject',
  'ce_specversion',
  'content-type',
  'ce_causationid',
  'ce_epoch',
  'ce_version',
  'traceparent',
] as const;
const USUAL = { ce_specversion: '1.0', 'content-type': 'application/json' } as const;
const KNOWN: ReadonlySet<string> = new Set(NAMES);
const SUBJECT = NAMES.indexOf('ce_subject');
const SPECVERSION = NAMES.indexOf('ce_specversion');
const CONTENT_TYPE = NAMES.indexOf('content-type');

/** @param key of the record */
export function packHeaders(headers: Headers, key: string | null): string {
  const packed: (string | 0 | undefined | Headers)[] = [];
  let known = 0;
  let length = 0;
  for (const name of NAMES) {
    const value = headers[name];
    packed.push(value);
    if (value === undefined) continue;
    known += 1;
    length = packed.length;
  }
  if (packed[SUBJECT] === key) packed[SUBJECT] = 0;
  if (packed[SPECVERSION] === USUAL.ce_specversion) packed[SPECVERSION] = 0;
  if (packed[CONTENT_TYPE] === USUAL['content-type']) packed[CONTENT_TYPE] = 0;
  const others = Object.keys(headers);
  if (others.length === known) packed.length = length;
  else packed.push(pick(headers, others));
  return JSON.stringify(packed);
}

const pick = (headers: Headers, names: readonly string[]): Headers =>
  Object.fromEntries(
    names.filter((name) => !KNOWN.has(name)).map((name) => [name, headers[name] ?? '']),
  );

/** What `packHeaders` was given. @param key of the same record */
export function unpackHeaders(text: string, key: string | null): Headers {
  const packed = JSON.parse(text) as Packed;
  const headers: Record<string, string> = {};
  for (let at = 0; at < NAMES.length && at < packed.length; at += 1) {
    const value = packed[at];
    const name = NAMES[at];
    if (typeof value === 'string') headers[name as string] = value;
    else if (value === 0)
      headers[name as string] = (at === SUBJECT ? key : USUAL[name as keyof typeof USUAL]) ?? '';
  }
  const others = packed[NAMES.length];
  return typeof others === 'object' ? { ...headers, ...others } : headers;
}
