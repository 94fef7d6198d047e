import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defineMigration, type Filter, matches, migrationProblems, transform } from './index.ts';

const totals = defineMigration<{ id: number; items: number; price: number; total: number | null }>({
  id: 'order-totals',
  target: 'checkout',
  collection: 'orders',
  pending: { total: { equals: null } },
  up: (order) => ({ ...order, total: order.items * order.price }),
  invariants: [{ name: 'total-not-negative', holds: ({ total }) => total === null || total >= 0 }],
});

describe('transform', () => {
  it('names the fields that changed', () => {
    expect(transform(totals as never, { id: 1, items: 2, price: 3, total: null })).toEqual({
      kind: 'changed',
      before: { id: 1, items: 2, price: 3, total: null },
      after: { id: 1, items: 2, price: 3, total: 6 },
      fields: ['total'],
    });
  });

  it('changes nothing the second time', () => {
    expect(transform(totals as never, { id: 1, items: 2, price: 3, total: 6 }).kind).toBe(
      'unchanged',
    );
  });

  it.each([
    [
      'throws',
      {
        up: () => {
          throw new Error('no price');
        },
      },
      'MIGRATION_UP_FAILED',
    ],
    [
      'changes the key',
      { up: (row: object) => ({ ...row, id: 9, total: 1 }) },
      'MIGRATION_KEY_CHANGED',
    ],
    ['leaves the document pending', { up: (row: object) => row }, 'MIGRATION_STILL_PENDING'],
    [
      'breaks an invariant',
      { up: (row: object) => ({ ...row, total: -1 }) },
      'MIGRATION_INVARIANT_BROKEN',
    ],
  ])('writes nothing when up %s', (_what, wrong, code) => {
    const result = transform({ ...totals, ...wrong } as never, { id: 1, total: null });
    expect(result).toMatchObject({ kind: 'failed', code });
  });

  it('does not let up edit the document it was given', () => {
    const before = { id: 1, items: 2, price: 3, total: null };
    const editing = {
      ...totals,
      up: (row: { total: number | null }) => Object.assign(row, { total: 6 }),
    };
    expect(transform(editing as never, before)).toMatchObject({ before: { total: null } });
  });
});

describe('a filter', () => {
  it('takes null and absent for the same', () => {
    const filter: Filter = { total: { equals: null } };
    expect(matches(filter, {})).toBe(true);
    expect(matches(filter, { total: null })).toBe(true);
    expect(matches(filter, { total: 0 })).toBe(false);
  });

  it('orders only values of its own type, and never null', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (value, bound) => {
        expect(matches({ n: { above: bound } }, { n: value })).toBe(value > bound);
        expect(matches({ n: { atMost: bound } }, { n: value })).toBe(value <= bound);
        expect(matches({ n: { above: bound } }, { n: null })).toBe(false);
        expect(matches({ n: { above: bound } }, { n: String(value) })).toBe(false);
      }),
    );
  });
});

describe('a loaded definition', () => {
  it('is told every field that is wrong', () => {
    expect(migrationProblems({ id: 'Order Totals', collection: 'orders' })).toEqual([
      'id: expected lower-case words with dashes',
      'target: expected the name of a configured database',
      'pending: expected a filter that is true before up',
      'up: expected a function of one document',
    ]);
    expect(migrationProblems(totals)).toEqual([]);
    expect(migrationProblems(undefined)).toHaveLength(1);
  });
});
