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
    [
      'gives what an invariant fails on',
      {
        up: (row: object) => ({ ...row, total: 1 }),
        invariants: [{ name: 'has-tax', holds: (row: { tax: { rate: number } }) => row.tax.rate }],
      },
      'MIGRATION_INVARIANT_BROKEN',
    ],
    ['is async', { up: async (row: object) => ({ ...row, total: 1 }) }, 'MIGRATION_UP_FAILED'],
    ['returns nothing', { up: () => undefined }, 'MIGRATION_UP_FAILED'],
    ['returns a list', { up: (row: object) => [row] }, 'MIGRATION_UP_FAILED'],
    [
      'computes no number',
      { up: (row: object) => ({ ...row, total: Number.NaN }) },
      'MIGRATION_VALUE_UNUSABLE',
    ],
    [
      'gives a map to a field',
      { up: (row: object) => ({ ...row, total: 1, extra: new Map() }) },
      'MIGRATION_VALUE_UNUSABLE',
    ],
  ])('writes nothing when up %s', (_what, wrong, code) => {
    const result = transform({ ...totals, ...wrong } as never, { id: 1, total: null });
    expect(result).toMatchObject({ kind: 'failed', code });
  });

  it('says which document and what was wrong with it', () => {
    const messageFor = (wrong: object) => {
      const result = transform({ ...totals, ...wrong }, { id: 7, total: null });
      return result.kind === 'failed' ? result.message : result.kind;
    };
    expect(messageFor({ up: async (row: object) => row })).toBe(
      'up gave a value of type Promise instead of a document on orders 7.',
    );
    expect(messageFor({ up: (row: object) => ({ ...row, total: 2 * Number.NaN }) })).toBe(
      'up gives total of orders 7 NaN, which no database keeps.',
    );
  });

  it('takes dates, bytes, large integers and what JSON can say', () => {
    const total = 5;
    for (const extra of [new Date(0), new Uint8Array([1]), 2n ** 60n, { a: [1] }, ['x'], 'x', true])
      expect(
        transform(
          { ...totals, up: (row: object) => ({ ...row, total, extra }) },
          {
            id: 1,
            total: null,
          },
        ),
      ).toMatchObject({ kind: 'changed', fields: ['total', 'extra'] });
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

  it('takes true for 1, and a large integer for what it is', () => {
    expect(matches({ done: { equals: true } }, { done: 1 })).toBe(true);
    expect(matches({ done: { not: true } }, { done: 1 })).toBe(false);
    expect(matches({ done: { in: [false] } }, { done: 0 })).toBe(true);
    expect(matches({ n: { equals: 5 } }, { n: 5n })).toBe(true);
    expect(matches({ n: { equals: 2n ** 60n } }, { n: 2n ** 60n + 1n })).toBe(false);
    expect(matches({ n: { above: 5 } }, { n: 2n ** 60n })).toBe(true);
    expect(matches({ n: { equals: 1 } }, { n: '1' })).toBe(false);
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
      'up: expected a function of one document',
      'pending: expected a filter, { field: { equals: … } }',
    ]);
    expect(migrationProblems(totals)).toEqual([]);
    expect(migrationProblems(undefined)).toHaveLength(1);
  });

  it.each([
    [{ pending: {} }, 'pending: expected a filter that is true before up and false after it'],
    [{ pending: { total: null } }, 'pending.total: expected a test, one of equals, not, in, '],
    [{ pending: { total: {} } }, 'pending.total: expected a test, one of equals, not, in, '],
    [
      { pending: { total: { eq: null } } },
      'pending.total.eq: there is no such test; expected one ',
    ],
    [{ pending: { total: { in: 5 } } }, 'pending.total.in: expected a list of such values'],
    [{ pending: { total: { above: null } } }, 'pending.total.above: expected text or a number'],
    [{ pending: { total: { equals: NaN } } }, 'pending.total.equals: expected text, a number, '],
    [{ filter: { total: { like: 'x' } } }, 'filter.total.like: there is no such test; expected '],
    [{ invariants: [{ name: 'x' }] }, 'invariants: expected a list of { name, holds(document) }'],
    [{ down: 'sql' }, 'down: expected a function of one document'],
  ])('is told what is wrong in %j', (wrong, problem) => {
    expect(migrationProblems({ ...totals, ...wrong })).toEqual([expect.stringContaining(problem)]);
  });
});
