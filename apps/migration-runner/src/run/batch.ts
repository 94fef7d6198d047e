import type { MigrationCounts } from '@tidegate/contracts';
import type { Migration } from '@tidegate/migration';
import type { Selection } from '../target/target.port.ts';

/** All that the migration is about. */
export const matched = (migration: Migration): Selection => ({
  collection: migration.collection,
  key: migration.key,
  filters: migration.filter ? [migration.filter] : [],
});

/** What is left to do. */
export const pending = (migration: Migration): Selection => {
  const selection = matched(migration);
  return { ...selection, filters: [...selection.filters, migration.pending] };
};

export const countsOf = (rows: number, changed: number, unchanged: number): MigrationCounts => ({
  matched: rows,
  changed,
  skipped: unchanged,
  mismatched: rows - changed - unchanged,
});
