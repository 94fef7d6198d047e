import { AppError } from '@tidegate/kernel';
import type { Row } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Key, Selection } from './target.port.ts';

/**
 * Of a page that was read with one row more than was asked for: what shares its key with the last row would be passed over
 * by the page after it. Thrown MIGRATION_KEY_UNUSABLE where two have the same.
 */
export function uniquePage(
  selection: Selection,
  rows: readonly Row[],
  { limit, keyOf }: { limit: number; keyOf: (selection: Selection, row: Row) => Key },
): readonly Row[] {
  let last: Key | undefined;
  for (const row of rows) {
    const key = keyOf(selection, row);
    if (key === last) throw notUnique(selection, 'id', key);
    last = key;
  }
  return rows.length > limit ? rows.slice(0, limit) : rows;
}

/** @param value of the key that several have, where it is known */
export function notUnique(
  { collection, key }: Selection,
  own: string,
  value?: Key,
): AppError<MigrationErrorCode> {
  const name = key ?? own;
  const which = value === undefined ? `with the same ${name}` : `whose ${name} is ${String(value)}`;
  return new AppError(
    'MIGRATION_KEY_UNUSABLE',
    `${collection} has several documents ${which}: ` +
      'choose a key that is unique, never changes and orders the documents.',
  );
}
