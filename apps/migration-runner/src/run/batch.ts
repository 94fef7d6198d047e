import type { MigrationCounts } from '@tidegate/contracts';
import { type Migration, type Row, transform, type Transformed } from '@tidegate/migration';
import type { Key, Selection, Write } from '../target/target.port.ts';

export const keyOf = (migration: Migration): string => migration.key ?? 'id';

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

/** What one batch would write, or the first document that must stop the run. */
export interface Prepared {
  readonly writes: readonly Write[];
  readonly unchanged: number;
  readonly failure?: Extract<Transformed, { kind: 'failed' }>;
}

export function prepare(migration: Migration, rows: readonly Row[]): Prepared {
  const writes: Write[] = [];
  let unchanged = 0;
  for (const row of rows) {
    const result = transform(migration, row);
    if (result.kind === 'failed') return { writes, unchanged, failure: result };
    if (result.kind === 'changed') writes.push(result);
    else unchanged += 1;
  }
  return { writes, unchanged };
}

export const keyIn = (migration: Migration, row: Row): Key => row[keyOf(migration)] as Key;

export const countsOf = (rows: number, changed: number, unchanged: number): MigrationCounts => ({
  matched: rows,
  changed,
  skipped: unchanged,
  mismatched: rows - changed - unchanged,
});
