import mongoose, { type mongo } from 'mongoose';
import { equal, isPlain, type Path, type Row } from '@tidegate/migration';

const { BSON } = mongoose.mongo;
const INT64 = 0x12;

/** The bytes that a document was read from: what its numbers were, JavaScript does not tell. */
const origins = new WeakMap<Row, Uint8Array>();

/** Integers that fit are numbers, the others bigints; what JavaScript has no type for stays of a type of BSON. */
export function documentOf(bytes: Uint8Array): Row {
  const row = BSON.deserialize(bytes, { promoteBuffers: false, bsonRegExp: true });
  if (bytes.includes(INT64)) widen(row);
  origins.set(row, bytes);
  return row;
}

/** Of a cursor with `raw: true`. */
export const documentsOf = (found: readonly object[]): readonly Row[] =>
  found.map((bytes) => documentOf(bytes as Uint8Array));

export const isAsKept = (row: Row): boolean => origins.has(row);

function widen(value: Record<string, unknown> | unknown[]): void {
  for (const [name, each] of Object.entries(value))
    if (typeName(each) === 'Long')
      (value as Record<string, unknown>)[name] = (each as mongo.BSON.Long).toBigInt();
    else if (Array.isArray(each) || isPlain(each)) widen(each as Record<string, unknown>);
}

/** `ObjectId`, `Binary`, …; undefined for what is no class of BSON. */
export const typeName = (value: unknown): string | undefined =>
  typeof value === 'object' && value !== null && '_bsontype' in value
    ? String(value._bsontype)
    : undefined;

const bytesOf = (row: Row): Uint8Array =>
  origins.get(row) ?? BSON.serialize(row, { ignoreUndefined: true });

/** One after the other: each begins with its length. */
export const pack = (rows: readonly Row[]): Uint8Array => Buffer.concat(rows.map(bytesOf));

export function unpack(packed: Uint8Array): readonly Row[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  const rows: Row[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + bytes.readInt32LE(at);
    rows.push(documentOf(bytes.subarray(at, end)));
    at = end;
  }
  return rows;
}

/** As it is read again after it was written. */
export const asRead = (value: unknown): unknown =>
  documentOf(BSON.serialize({ value }, { ignoreUndefined: true }))['value'];

/** Whether the value at a path is what was written there. */
export const isWritten = (now: unknown, value: unknown): boolean =>
  equal(now ?? null, asRead(value) ?? null);

/**
 * A value for a path, its whole numbers of the type that those of the document there are of: by itself a driver
 * writes the Double 5, and the Int64 5, as an Int32 when it has been read.
 */
export function typed(value: unknown, path: Path, like: Row): unknown {
  const bytes = origins.get(like);
  const [name = ''] = path;
  if (!bytes || !Object.hasOwn(like, name) || !hasWhole(value)) return value;
  let kept: unknown = BSON.deserialize(bytes, { promoteValues: false });
  for (const each of path) kept = (kept as Record<string, unknown> | undefined)?.[each];
  return alike(value, kept);
}

const hasWhole = (value: unknown): boolean =>
  Number.isInteger(value) ||
  (Array.isArray(value) && value.some(hasWhole)) ||
  (isPlain(value) && Object.values(value).some(hasWhole));

function alike(value: unknown, kept: unknown): unknown {
  if (Number.isInteger(value)) {
    const type = typeName(kept);
    if (type === 'Double') return new BSON.Double(value as number);
    return type === 'Long' ? BSON.Long.fromNumber(value as number) : value;
  }
  if (Array.isArray(value) && Array.isArray(kept))
    return value.map((each, index) => alike(each, kept[index]));
  return isPlain(value) && isPlain(kept)
    ? Object.fromEntries(
        Object.entries(value).map(([name, each]) => [name, alike(each, kept[name])]),
      )
    : value;
}
