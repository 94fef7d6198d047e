import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { editOf, type Migration, type Row, transform } from '@tidegate/migration';
import { keptEdit } from '../journal/kept.ts';
import { type Case, fateOf } from './fate.ts';

/** `total` of two numbers; `down` knows nothing but what is in the document. */
const base: Migration = {
  id: 'm',
  target: 't',
  collection: 'orders',
  pending: { total: { equals: null } },
  up: (order) => ({ ...order, total: Number(order['a']) + Number(order['b']) }),
};
const down = ({ total: _total, ...order }: Row): Row => order;
const kinds: readonly Migration[] = [
  base,
  { ...base, reads: ['a', 'b'] },
  { ...base, down },
  { ...base, down, reads: ['a', 'b'] },
  { ...base, down: () => ({ id: 1, a: -1, b: 0 }), invariants: [positive()] },
];
function positive() {
  return { name: 'positive', holds: (row: Row) => Number(row['a']) >= 0 };
}

const small = fc.integer({ min: 0, max: 2 });
const row = fc.record({
  id: fc.constant(1),
  a: small,
  b: small,
  note: fc.constantFrom('x', 'y'),
  total: fc.option(fc.integer({ min: 0, max: 4 }), { nil: null }),
});
const world = fc.record({
  migration: fc.constantFrom(...kinds),
  before: row.map((each) => ({ ...each, total: null })),
  now: fc.option(row, { nil: undefined }),
  hasImage: fc.boolean(),
  hasBackupBelow: fc.boolean(),
});
type World = typeof world extends fc.Arbitrary<infer W> ? W : never;

const caseOf = ({ migration, before, now, hasImage, hasBackupBelow }: World): Case => {
  const made = transform(migration, before);
  if (made.kind !== 'changed') throw new Error(made.kind);
  const image = hasImage ? before : undefined;
  return { edit: keptEdit(1, made), image, hasBackupBelow, now };
};

/** What becomes of the document, by its definition: no checksums, no paths. `undefined` as message: it is left alone. */
function slowly({ migration, before, now, hasImage, hasBackupBelow }: World): Row | string {
  if (!now) return 'MIGRATION_DOCUMENT_GONE';
  const after: Row = { ...before, total: before.a + before.b };
  const looksAt = migration.reads ? ['a', 'b', 'total'] : ['id', 'a', 'b', 'note', 'total'];
  const isAs = (other: Row) => looksAt.every((field) => now[field as 'a'] === other[field]);
  if (isAs(after) && hasImage) return { ...now, total: null };
  if (now.total === null) return now;
  const canUndo = migration.down !== undefined && migration.invariants === undefined;
  if (canUndo) return { ...now, total: null };
  if (!hasImage && hasBackupBelow) return 'further';
  if (hasImage && !migration.reads && now.total === after['total']) return { ...now, total: null };
  return isAs(after) ? 'MIGRATION_NO_WAY_BACK' : 'MIGRATION_DOCUMENT_EDITED';
}

const outcomeOf = (given: World): Row | string => {
  const fate = fateOf(given.migration, caseOf(given));
  switch (fate.kind) {
    case 'unchanged':
      return given.now ?? 'nothing';
    case 'put-back':
      return { ...fate.edit.after, total: fate.edit.after['total'] ?? null };
    case 'further':
      return 'further';
    case 'listed':
      return fate.code;
  }
};

describe('what becomes of a document when a migration is undone', () => {
  it('is what the definition says, whatever happened to it since', () => {
    fc.assert(
      fc.property(world, (given) => {
        expect(outcomeOf(given)).toEqual(slowly(given));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is the same when it is asked again after it was put back: nothing more is done', () => {
    fc.assert(
      fc.property(world, (given) => {
        const fate = fateOf(given.migration, caseOf(given));
        fc.pre(fate.kind === 'put-back');
        const again = { ...caseOf(given), now: fate.kind === 'put-back' ? fate.edit.after : {} };
        expect(fateOf(given.migration, again)).toEqual({ kind: 'unchanged' });
      }),
    );
  });

  it('never touches what the migration did not change', () => {
    fc.assert(
      fc.property(world, (given) => {
        const fate = fateOf(given.migration, caseOf(given));
        fc.pre(fate.kind === 'put-back');
        if (fate.kind !== 'put-back') return;
        expect(fate.edit.changes.map(({ path }) => path)).toEqual([['total']]);
      }),
    );
  });

  it('leaves fields that others have added to a document alone, and brings back what was taken away', () => {
    const migration: Migration = {
      ...base,
      reads: ['name'],
      pending: { name: { exists: true } },
      up: ({ name, ...rest }) => ({ ...rest, person: { full: name } }),
    };
    const before = { id: 1, name: 'Ada', person: null };
    const made = transform(migration, before);
    if (made.kind !== 'changed') throw new Error(made.kind);
    const now = { id: 1, person: { full: 'Ada' }, seen: 7 };
    const fate = fateOf(migration, {
      edit: keptEdit(1, made),
      image: before,
      hasBackupBelow: false,
      now,
    });
    expect(fate).toMatchObject({ kind: 'put-back', by: 'image' });
    expect(fate.kind === 'put-back' && fate.edit.after).toMatchObject({
      id: 1,
      name: 'Ada',
      seen: 7,
    });
    expect(fate.kind === 'put-back' && editOf(now, fate.edit.after).changes).toHaveLength(2);
  });

  it.each([true, false])('undoes the conversion of a type (an image was kept: %s)', (hasImage) => {
    const migration: Migration = {
      ...base,
      reads: ['a'],
      pending: { a: { equals: '1' } },
      up: (order) => ({ ...order, a: Number(order['a']) }),
      down: (order) => ({ ...order, a: String(order['a']) }),
    };
    const before = { id: 1, a: '1' };
    const made = transform(migration, before);
    if (made.kind !== 'changed') throw new Error(made.kind);
    const image = hasImage ? before : undefined;
    const given = { edit: keptEdit(1, made), image, hasBackupBelow: false };
    const fate = fateOf(migration, { ...given, now: made.after });
    expect(fate).toMatchObject({ kind: 'put-back', edit: { after: before } });
    expect(fateOf(migration, { ...given, now: before })).toEqual({ kind: 'unchanged' });
  });
});
