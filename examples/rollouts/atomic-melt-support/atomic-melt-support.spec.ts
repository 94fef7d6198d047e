import { describe, expect, it } from '@jest/globals';
import { type Migration, migrationProblems, type Row, transform } from '@tidegate/migration';
import { checkMigration } from '@tidegate/migration/check';
import indexes from './migrations/1-melt-operations-indexes.ts';
import metadata from './migrations/2-melt-operation-metadata.ts';
import legacy from './migrations/3-melt-legacy-operations.ts';
import cutover from './migrations/4-atomic-melt-cutover.ts';
import cleanup from './migrations/5-melt-state-cleanup.ts';
import { balances, operations } from './operations.ts';

const SEED = Number(process.env['SEED'] ?? 1);

it.each([indexes, metadata, legacy, cutover, cleanup])(
  '$id is a migration, and keeps its promises',
  (migration) => {
    expect(migrationProblems(migration)).toEqual([]);
    expect(checkMigration(migration as never, { seed: SEED })).toEqual([]);
  },
);

function after(migration: unknown, before: Row): Row {
  const result = transform(migration as Migration, before);
  if (result.kind === 'failed') throw new Error(result.message);
  return result.kind === 'changed' ? result.after : before;
}
const isMelt = (row: Row): boolean => row['kind'] === 'melt';

describe('support for atomic melts', () => {
  const all = [...operations(2_000, { seed: SEED })];

  it('changes the balance of no wallet at any mint, in no phase', () => {
    const sums = new Map<string, bigint>();
    const { of, by } = (cleanup.preserved ?? [])[0] ?? {};
    for (const before of all) {
      let row: Row = { ...before };
      row = after(metadata, row);
      if (isMelt(row)) row = after(legacy, row);
      row = after(cleanup, row);
      expect(row).not.toHaveProperty('state');
      const group = String(by?.(row as never));
      sums.set(group, (sums.get(group) ?? 0n) + BigInt(of?.(row as never) ?? 0));
    }
    expect(sums).toEqual(balances(all));
  });

  it('can be taken back, phase by phase', () => {
    for (const before of all) {
      const withMetadata = after(metadata, { ...before });
      const marked = isMelt(withMetadata) ? after(legacy, withMetadata) : withMetadata;
      const clean = after(cleanup, marked);
      expect(cleanup.down?.(clean as never)).toEqual(marked);
      if (isMelt(marked)) expect(legacy.down?.(marked as never)).toEqual(withMetadata);
      expect(metadata.down?.(withMetadata as never)).toEqual(before);
    }
  });

  it('marks every melt that is there as legacy, and no atomic one', () => {
    const melt = after(metadata, { ...all.find(({ kind }) => kind === 'melt') });
    expect(after(legacy, melt)).toMatchObject({ operation: { legacy: true } });
    const atomic = { ...melt, operation: { ...(melt['operation'] as object), atomic: true } };
    expect(after(legacy, atomic)).toMatchObject({ operation: { legacy: false } });
  });

  it('does not guess what a state means that nobody knows', () => {
    const [stranger] = operations(1, { seed: SEED, strangers: 1 });
    expect(transform(metadata as never, { ...stranger })).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('there is no phase for the state "LOST"'),
    });
  });
});
