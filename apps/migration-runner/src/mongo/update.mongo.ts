import type { mongo } from 'mongoose';
import { type Edit, isPlain, type Path, type Row, valueAt } from '@tidegate/migration';
import { isAsKept, typed } from './bson.mongo.ts';
import { NO_LIST } from './query.mongo.ts';

type Query = mongo.Document;

export interface Update {
  readonly filter: Query;
  readonly update: Query;
}

/** What an edit cannot be written for, whatever the server. */
export const unwritable = ({ changes }: Edit): string | undefined => {
  const name = changes.flatMap(({ path }) => path).find((each) => !isAddressable(each));
  if (name !== undefined)
    return `the field "${name}" has an empty name, or one with a dot or a $ first, which no update can name`;
  const large = changes.find(({ value }) => hasTooLarge(value));
  return large && `the field "${large.path.join('.')}" has an integer of more than 64 bits`;
};

/** The driver would write another integer in its place. */
const hasTooLarge = (value: unknown): boolean => {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) !== value;
  if (Array.isArray(value)) return value.some(hasTooLarge);
  return isPlain(value) && Object.values(value).some(hasTooLarge);
};

const isAddressable = (name: string): boolean =>
  name !== '' && !name.startsWith('$') && !name.includes('.');

/** @param hasExpressions whether the server computes in a filter; FerretDB 1.24 does not */
export function updateOf(edit: Edit, hasExpressions: boolean): Update {
  const { before, changes, source = before } = edit;
  const sets = changes.filter(({ value }) => value !== undefined);
  const unsets = changes.filter(({ value }) => value === undefined);
  return {
    filter: isAsRead(edit, hasExpressions),
    update: {
      ...(sets.length > 0
        ? {
            $set: Object.fromEntries(
              sets.map(({ path, value }) => [path.join('.'), typed(value, path, source)]),
            ),
          }
        : {}),
      ...(unsets.length > 0
        ? { $unset: Object.fromEntries(unsets.map(({ path }) => [path.join('.'), ''])) }
        : {}),
    },
  };
}

function isAsRead({ before, changes, compare }: Edit, hasExpressions: boolean): Query {
  const whole = new Set([...Object.keys(before), ...changes.map(({ path: [name = ''] }) => name)]);
  // Compared like other fields, as a migration that reads it asks, `_id` would not be looked up any more, but looked for.
  const paths = (compare ?? [...whole].map((name) => [name])).filter(([name]) => name !== '_id');
  const query = new Map<string, unknown>([['_id', exactly(before['_id'])]]);
  const inside = (path: Path): void => {
    for (let depth = 1; depth < path.length; depth += 1) {
      const name = path.slice(0, depth).join('.');
      if (!query.has(name)) query.set(name, { $type: 'object', ...NO_LIST });
    }
  };
  for (const path of paths) if (path.every(isAddressable)) unchanged(before, path, query, inside);
  for (const { path } of changes) inside(path);
  const computed = hasExpressions ? expressions(before, paths, compare === undefined) : [];
  return {
    ...Object.fromEntries(query),
    ...(computed.length > 0 ? { $expr: { $and: computed } } : {}),
  };
}

const exactly = (value: unknown): unknown => (isPlain(value) ? { $eq: value } : value);

function unchanged(
  before: Row,
  path: Path,
  query: Map<string, unknown>,
  inside: (path: Path) => void,
): void {
  // Where it was read behind something that is no object, that must still be there.
  const depth = path.findIndex(
    (_, index) => index > 0 && !isPlain(valueAt(before, path.slice(0, index))),
  );
  const place = depth === -1 ? path : path.slice(0, depth);
  const value = valueAt(before, place);
  if (isPlain(value) && isReordered(value)) {
    for (const name of Object.keys(value)) unchanged(before, [...place, name], query, inside);
    return;
  }
  inside(place);
  const list = Array.isArray(value) ? {} : NO_LIST;
  query.set(place.join('.'), { ...equality(value, place.length === 1), ...list });
}

/** Null and absent are the same in an outermost field. */
const equality = (value: unknown, isOutermost: boolean): Query => {
  if (value === undefined && !isOutermost) return { $exists: false };
  return value === null && !isOutermost ? { $eq: null, $exists: true } : { $eq: value ?? null };
};

/** JavaScript puts such names first, and objects are compared in the order of their fields. */
const isReordered = (value: unknown): boolean =>
  isPlain(value) &&
  Object.entries(value).some(
    ([name, each]) => (/^\d+$/.test(name) && Object.keys(value).length > 1) || isReordered(each),
  ) &&
  Object.keys(value).every(isAddressable);

/**
 * That no field was added, where the whole document is compared, and what a path cannot name. On a server that does
 * not compute in a filter, a field that was absent and comes meanwhile is noticed where `reads` names it.
 */
function expressions(before: Row, paths: readonly Path[], isWhole: boolean): readonly Query[] {
  const unnamed = paths.filter((path) => path.length === 1 && !path.every(isAddressable));
  return [
    ...(isWhole && isAsKept(before)
      ? [{ $eq: [{ $size: { $objectToArray: '$$ROOT' } }, Object.keys(before).length] }]
      : []),
    ...unnamed.map(([name]) => ({
      $eq: [
        { $getField: { field: { $literal: name }, input: '$$ROOT' } },
        { $literal: before[name ?? ''] ?? null },
      ],
    })),
  ];
}
