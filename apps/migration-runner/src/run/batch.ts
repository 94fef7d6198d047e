import type { Migration } from '@tidegate/migration';
import type { Selection } from '../target/target.port.ts';

/** All that the migration is about. */
export const matched = (migration: Migration): Selection => ({
  ...everything(migration),
  filters: migration.filter ? [migration.filter] : [],
});

/** What is left to do. */
export const pending = (migration: Migration): Selection => {
  const selection = matched(migration);
  return { ...selection, filters: [...selection.filters, migration.pending] };
};

/** Whatever there is, for documents that are asked for by their keys. */
export const everything = ({ collection, key }: Migration): Selection => ({
  collection,
  key,
  filters: [],
});
