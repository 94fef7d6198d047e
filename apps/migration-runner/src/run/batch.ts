import type { MigrationCounts } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import type { Migration, Row } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Key, Selection } from '../target/target.port.ts';

const keyOf = (migration: Migration): string => migration.key ?? 'id';

/** All that the migration is about. */
export const matched = (migration: Migration): Selection => ({
  collection: migration.collection,
  key: keyOf(migration),
  filters: migration.filter ? [migration.filter] : [],
});

/** What is left to do. */
export const pending = (migration: Migration): Selection => {
  const selection = matched(migration);
  return { ...selection, filters: [...selection.filters, migration.pending] };
};

/** The document's key as a checkpoint keeps it. Thrown MIGRATION_KEY_UNUSABLE. */
export function keyIn(migration: Migration, row: Row): Key {
  const key = row[keyOf(migration)];
  if (typeof key === 'bigint') return String(key);
  if (typeof key === 'string' || typeof key === 'number') return key;
  throw new AppError<MigrationErrorCode>(
    'MIGRATION_KEY_UNUSABLE',
    `${migration.collection} has a document whose ${keyOf(migration)} is ${key === null ? 'null' : 'neither text nor a number'}: ` +
      'choose a key that is unique, never changes and orders the documents.',
  );
}

export const countsOf = (rows: number, changed: number, unchanged: number): MigrationCounts => ({
  matched: rows,
  changed,
  skipped: unchanged,
  mismatched: rows - changed - unchanged,
});
