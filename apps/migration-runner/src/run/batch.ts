import type { Migration, Row } from '@tidegate/migration';
import type { Selection, Target } from '../target/target.port.ts';
import { keyText } from './failures.ts';

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

/** What was found, by the text of its key. */
export const byKey = (
  target: Pick<Target, 'keyOf'>,
  selection: Selection,
  rows: readonly Row[],
): ReadonlyMap<string, Row> =>
  new Map(rows.map((row) => [keyText({ key: target.keyOf(selection, row) }), row]));
