import { messageOf } from '@tidegate/kernel';
import { matches } from './filter.ts';
import type { Migration, Row } from './migration.ts';

/** What `up` made of one document, or why it must not be written. */
export type Transformed =
  | {
      readonly kind: 'changed';
      readonly before: Row;
      readonly after: Row;
      readonly fields: readonly string[];
    }
  | { readonly kind: 'unchanged'; readonly before: Row }
  | {
      readonly kind: 'failed';
      readonly before: Row;
      readonly code: string;
      readonly message: string;
    };

const equal = (a: unknown, b: unknown): boolean =>
  Object.is(a ?? null, b ?? null) ||
  (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));

/**
 * Applies `up` to one document and holds it to its promises. Codes: MIGRATION_UP_FAILED (it threw),
 * MIGRATION_KEY_CHANGED, MIGRATION_STILL_PENDING (the result is still what `pending` asks for),
 * MIGRATION_INVARIANT_BROKEN.
 */
export function transform(migration: Migration, before: Row): Transformed {
  const failed = (code: string, message: string): Transformed => ({
    kind: 'failed',
    before,
    code,
    message,
  });
  const key = migration.key ?? 'id';
  const name = `${migration.collection} ${String(before[key])}`;
  try {
    const after = migration.up(structuredClone(before));
    const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      (field) => !equal(before[field], after[field]),
    );
    if (fields.includes(key))
      return failed(
        'MIGRATION_KEY_CHANGED',
        `up changes ${key} of ${name}, which orders the documents.`,
      );
    if (matches(migration.pending, after))
      return failed('MIGRATION_STILL_PENDING', `${name} is still pending after up.`);
    const broken = migration.invariants?.find((invariant) => !invariant.holds(after));
    if (broken)
      return failed('MIGRATION_INVARIANT_BROKEN', `${name} breaks ${broken.name} after up.`);
    return fields.length === 0
      ? { kind: 'unchanged', before }
      : { kind: 'changed', before, after, fields };
  } catch (error) {
    return failed('MIGRATION_UP_FAILED', `up failed on ${name}: ${messageOf(error)}`);
  }
}
