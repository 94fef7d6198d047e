import { messageOf } from '@tidegate/kernel';
import { matches } from './filter.ts';
import { brokenInvariant } from './invariant.ts';
import type { Migration, Row } from './migration.ts';

/** One difference: the value at the path, `undefined` where it is taken away. */
export interface Change {
  /** Names from the outside in: columns and fields, never a place in a list. */
  readonly path: readonly string[];
  readonly value: unknown;
}

/** A document that is to become another one. */
export interface Edit {
  readonly before: Row;
  readonly after: Row;
  /** From `before` to `after`, the fewest that say it. */
  readonly changes: readonly Change[];
  /** What must still be as in `before` when it is written: paths, or undefined for the whole document. */
  readonly compare?: readonly (readonly string[])[] | undefined;
}

/** What `up` made of one document, or why it must not be written. */
export type Transformed =
  | (Edit & { readonly kind: 'changed' })
  | { readonly kind: 'unchanged'; readonly before: Row }
  | {
      readonly kind: 'failed';
      readonly before: Row;
      readonly code: string;
      readonly message: string;
    };

const equal = (a: unknown, b: unknown): boolean =>
  Object.is(a ?? null, b ?? null) ||
  (isObject(a) && isObject(b) && JSON.stringify(a) === JSON.stringify(b));

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/**
 * Applies `up` to one document and holds it to its promises. Codes: MIGRATION_UP_FAILED (it threw, or gave no
 * document), MIGRATION_KEY_CHANGED, MIGRATION_VALUE_UNUSABLE (what it gave a field cannot be kept),
 * MIGRATION_STILL_PENDING (the result is still what `pending` asks for), MIGRATION_INVARIANT_BROKEN.
 */
export function transform(migration: Migration, before: Row): Transformed {
  const key = migration.key ?? 'id';
  const name = `${migration.collection} ${String(before[key])}`;
  const failed = (code: string, message: string): Transformed => ({
    kind: 'failed',
    before,
    code,
    message,
  });
  const after = applied(migration, before);
  if ('problem' in after) return failed('MIGRATION_UP_FAILED', `up ${after.problem} on ${name}.`);
  const { document } = after;
  const fields = differences(before, document);
  if (fields.includes(key))
    return failed(
      'MIGRATION_KEY_CHANGED',
      `up changes ${key} of ${name}, which orders the documents.`,
    );
  const unusable = fields.find((field) => !isUsable(document[field]));
  if (unusable !== undefined)
    return failed(
      'MIGRATION_VALUE_UNUSABLE',
      `up gives ${unusable} of ${name} ${described(document[unusable])}, which no database keeps.`,
    );
  if (matches(migration.pending, document))
    return failed('MIGRATION_STILL_PENDING', `${name} is still pending after up.`);
  const broken = brokenInvariant(migration, document);
  if (broken !== undefined)
    return failed('MIGRATION_INVARIANT_BROKEN', `${name} breaks ${broken} after up.`);
  return fields.length === 0
    ? { kind: 'unchanged', before }
    : { kind: 'changed', ...editOf(before, document) };
}

/** What makes `after` of `before`. */
export const editOf = (before: Row, after: Row): Edit => ({
  before,
  after,
  changes: differences(before, after).map((field) => ({ path: [field], value: after[field] })),
});

const differences = (before: Row, after: Row): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (field) => !equal(before[field], after[field]),
  );

function applied(migration: Migration, before: Row): { document: Row } | { problem: string } {
  try {
    const document: unknown = migration.up(structuredClone(before));
    return isPlain(document)
      ? { document }
      : { problem: `gave ${described(document)} instead of a document` };
  } catch (error) {
    return { problem: `failed (${messageOf(error)})` };
  }
}

/** `{ … }`, also without a prototype, as drivers make rows; no list, promise or instance of a class. */
function isPlain(value: unknown): value is Row {
  if (!isObject(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Scalars, bytes, dates, and what JSON can say. NaN is none of them: databases make NULL of it. */
function isUsable(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isNaN(value);
  if (typeof value === 'function' || typeof value === 'symbol') return false;
  if (!isObject(value) || ArrayBuffer.isView(value)) return true;
  if (value instanceof Date) return !Number.isNaN(value.getTime());
  return Array.isArray(value) || isPlain(value);
}

function described(value: unknown): string {
  if (typeof value === 'number' || value === undefined || value === null) return String(value);
  const { constructor } = Object(value) as { constructor?: { name?: string } };
  return `a value of type ${constructor?.name ?? typeof value}`;
}
