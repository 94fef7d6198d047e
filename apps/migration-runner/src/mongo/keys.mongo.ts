import mongoose, { type mongo } from 'mongoose';
import { AppError } from '@tidegate/kernel';
import { isPlain, type Row } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Key, Selection } from '../target/target.port.ts';
import { documentOf, typeName } from './bson.mongo.ts';

const { BSON } = mongoose.mongo;

/** Types in the order of MongoDB; `$gt` compares only within one. FerretDB 1.24 knows no alias of others. */
const TYPES = [
  'number',
  'string',
  'object',
  'array',
  'binData',
  'objectId',
  'bool',
  'date',
  'timestamp',
  'regex',
] as const;
type Type = (typeof TYPES)[number];

/** Also those that a port's key has no name for: their BSON, in base64. */
const BSON_KEY = '$bson:';

export const keyField = ({ key = '_id' }: Selection): string => key;

export function keyOf(selection: Selection, row: Row): Key {
  const value = row[keyField(selection)];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string') return value.startsWith('$') ? `$text:${value}` : value;
  if (typeof value === 'bigint') return `$int:${value}`;
  if (value instanceof Date && !Number.isNaN(value.getTime()))
    return `$date:${value.toISOString()}`;
  if (typeName(value) === 'ObjectId') return `$oid:${(value as mongo.BSON.ObjectId).toHexString()}`;
  if (isUuid(value)) return `$uuid:${value.toUUID().toHexString()}`;
  if (typeOf(value) === undefined) throw unusable(selection, value);
  return `${BSON_KEY}${Buffer.from(BSON.serialize({ value })).toString('base64')}`;
}

const isUuid = (value: unknown): value is mongo.BSON.Binary =>
  typeName(value) === 'Binary' && (value as mongo.BSON.Binary).sub_type === 4;

const unusable = (selection: Selection, value: unknown): AppError<MigrationErrorCode> =>
  new AppError(
    'MIGRATION_KEY_UNUSABLE',
    `${selection.collection} has a document whose ${keyField(selection)} is ${described(value)}: ` +
      'choose a key that is unique, never changes and orders the documents.',
  );

function described(value: unknown): string {
  if (value === undefined) return 'absent';
  if (Array.isArray(value)) return 'a list';
  return typeName(value) ?? (value === null ? 'null' : `a ${typeof value} without an order`);
}

export function keyValue(key: Key): unknown {
  const [, kind, text = ''] = /^\$(\w+):(.*)$/s.exec(String(key)) ?? [];
  switch (kind) {
    case 'text':
      return text;
    case 'int':
      return BigInt(text);
    case 'date':
      return new Date(text);
    case 'oid':
      return new BSON.ObjectId(text);
    case 'uuid':
      return new BSON.UUID(text);
    case 'bson':
      return documentOf(Buffer.from(text, 'base64'))['value'];
    default:
      return key;
  }
}

/** Undefined for what has no place in an order, or cannot be gone on from. */
function typeOf(value: unknown): Type | undefined {
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : 'number';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'bigint') return 'number';
  if (typeof value === 'boolean') return 'bool';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : 'date';
  if (isPlain(value)) return 'object';
  return (
    {
      Decimal128: 'number',
      Binary: 'binData',
      ObjectId: 'objectId',
      Timestamp: 'timestamp',
    } as const
  )[typeName(value) ?? ''];
}

/**
 * What follows a key, in two queries that an index can answer: of its own type, and of the types after it. A list is
 * looked for because it must be refused; `_id` cannot be one, and then an index would be of no use.
 */
export function following(
  selection: Selection,
  key: Key,
): readonly [mongo.Document, mongo.Document] {
  const [field, value] = [keyField(selection), keyValue(key)];
  const own = typeOf(value);
  const later = TYPES.slice(own === undefined ? 0 : TYPES.indexOf(own) + 1).filter(
    (type) => type !== 'array' || field !== '_id',
  );
  return [{ [field]: { $gt: value } }, { [field]: { $type: later } }];
}
