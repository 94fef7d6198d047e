import { describe, expect, it } from '@jest/globals';
import { checkMigration } from './check.ts';
import { defineMigration, type Migration, type Row } from './index.ts';

interface Order extends Row {
  readonly _id: string;
  readonly items: readonly { readonly price: number; readonly quantity: number }[];
  readonly meta: { readonly by: string; readonly note?: string };
  readonly discount: number;
  readonly total?: number | null | undefined;
}
const samples: Order[] = [
  {
    _id: 'o1',
    items: [
      { price: 100, quantity: 2 },
      { price: 5, quantity: 1 },
    ],
    meta: { by: 'ann', note: 'gift' },
    discount: 0,
  },
  { _id: 'o2', items: [], meta: { by: 'bob' }, discount: 50, total: null },
];
const sum = (items: Order['items']): number => {
  if (!Array.isArray(items)) throw new TypeError('no items');
  return items.reduce((total, { price, quantity }) => total + price * quantity, 0);
};
const good = defineMigration<Order>({
  id: 'order-totals',
  target: 'shop',
  collection: 'orders',
  pending: { total: { exists: false } },
  reads: ['items', 'discount'],
  up: (order) => ({ ...order, total: sum(order.items) - order.discount }),
  down: (order) => ({ ...order, total: undefined }),
  invariants: [
    {
      name: 'total-is-sum',
      holds: ({ total, items, discount }) => !total || total === sum(items) - discount,
    },
  ],
  preserved: [{ name: 'discount', of: ({ discount }) => discount }],
  groupBy: ({ items }) => String(items.length),
  mapping: ({ total }) => (total === undefined ? 'without' : 'with'),
  samples,
});
const check = (change: Partial<Migration<Order>>, seed = 7) =>
  checkMigration({ ...good, ...change }, { seed, documents: 100 });
/** As a sort in place does. */
const turned = (items: Order['items']) => (items as unknown as Row[]).reverse();
const rules = (change: Partial<Migration<Order>>) => check(change).map(({ rule }) => rule);

describe('a migration that is checked', () => {
  it('keeps its promises on whatever is made from its samples', () => {
    for (let seed = 0; seed < 3; seed += 1) expect(check({}, seed)).toEqual([]);
  });

  it('must have samples and a down, or say why not', () => {
    expect(rules({ samples: [] })).toEqual(['unreachable-samples']);
    const { down: _, ...oneWay } = good;
    expect(checkMigration(oneWay, { seed: 1, documents: 10 }).map(({ rule }) => rule)).toEqual([
      'not-reversible',
    ]);
    const unsafe = { 'not-reversible': 'before-images are kept' };
    expect(checkMigration({ ...oneWay, unsafe }, { seed: 1, documents: 10 })).toEqual([]);
    expect(rules({ samples: [], unsafe: { 'unreachable-samples': 'secret documents' } })).toEqual(
      [],
    );
  });

  it('depends on nothing but the document', () => {
    let calls = 0;
    const { Date: realDate } = globalThis;
    const ups: Migration<Order>['up'][] = [
      (order) => ({ ...good.up(order), at: new Date() }),
      (order) => ({ ...good.up(order), at: Date.now() }),
      (order) => ({ ...good.up(order), at: Date() }),
      (order) => ({ ...good.up(order), lot: Math.random() < 0.5 ? 'a' : 'b' }),
      (order) => ({ ...good.up(order), n: (calls += 1) }),
      (order) => {
        throw new Error(`at ${Date.now()} ${order._id}`);
      },
    ];
    for (const up of ups) expect(rules({ up })).toEqual(['impure']);
    expect(rules({ down: (order) => ({ ...good.down!(order), n: Math.random() }) })).toContain(
      'impure',
    );
    expect(globalThis.Date).toBe(realDate);
  });

  it('may depend on the moment when it says why', () => {
    const change: Partial<Migration<Order>> = {
      up: (order) => (order['at'] ? order : { ...good.up(order), at: new Date() }),
      down: (order) => ({ ...order, total: undefined, at: undefined }),
      unsafe: { impure: 'the time of the migration is kept' },
    };
    expect(rules(change)).toEqual([]);
  });

  it.each<[string, Partial<Migration<Order>>]>([
    ['sample-not-pending', { samples: [...samples, { ...samples[1]!, _id: 'o3', total: 205 }] }],
    ['key-changed', { up: (order) => ({ ...good.up(order), _id: `${order._id}!` }) }],
    ['value-unusable', { up: (order) => ({ ...order, total: Number.NaN }) }],
    ['still-pending', { up: (order) => order }],
    ['up-fails', { up: () => undefined as never }],
    ['invariant-broken', { up: (order) => ({ ...order, total: 1 }) }],
    ['preserved-changed', { up: (order) => ({ ...good.up({ ...order, discount: 1 }) }) }],
    [
      'not-idempotent',
      { up: (order) => ({ ...good.up(order), runs: Number(order['runs'] ?? 0) + 1 }) },
    ],
    ['not-reversed', { down: (order) => ({ ...order, total: null, discount: 0 }) }],
    ['reads-incomplete', { reads: ['items'] }],
    ['reads-incomplete', { up: (order) => ({ ...good.up(order), by: order.meta.by }) }],
    ['leaves-filter', { filter: { total: { exists: false } } }],
    ['report-fails', { groupBy: (order) => (order['nobody'] as Row)['x'] as string }],
    ['report-fails', { mapping: () => 5 as never }],
    ['report-fails', { groupBy: (async () => Promise.reject(new Error('no'))) as never }],
    ['invariant-broken', { invariants: [{ name: 'x', holds: (async () => true) as never }] }],
    ['preserved-changed', { preserved: [{ name: 'x', of: (async () => 1) as never }] }],
    ['edits-document', { invariants: [{ name: 'x', holds: ({ items }) => !!turned(items) }] }],
    ['edits-document', { preserved: [{ name: 'x', of: ({ items }) => turned(items).length }] }],
    ['edits-document', { groupBy: ({ items }) => String(turned(items).length) }],
  ])('is told %s, with the document that shows it', (rule, change) => {
    const finding = check(change).find((each) => each.rule === rule);
    expect(finding?.message).toMatch(/\.$/);
    expect(finding?.document).toHaveProperty('_id');
  });

  it('is shown the smallest document that breaks a promise which its samples keep', () => {
    const [finding, ...others] = check({
      reads: undefined as never,
      up: (order) => ({ ...order, total: Math.round(sum(order.items)) }),
      down: (order) =>
        order.meta.by === 'ann' || order.meta.by === 'bob' ? good.down!(order) : order,
      invariants: [],
    });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'not-reversed' });
    const { total: _, ...document } = { ...finding?.document };
    expect(samples.map(({ items }) => items)).toContainEqual(document['items']);
  });

  it('is told the same for the same seed', () => {
    const wrong = { down: (order: Order) => ({ ...order, total: null, discount: 0 }) };
    expect(check(wrong, 3)).toEqual(check(wrong, 3));
  });

  it('may refuse what nobody wrote, and need not hold an invariant that did not hold before', () => {
    const strict = {
      up: (order: Order) => {
        if (typeof order.discount !== 'number') throw new Error('no discount');
        return good.up(order);
      },
    };
    expect(rules(strict)).toEqual([]);
  });

  it('has nothing to show when it changes no documents', () => {
    const schema = { id: 's', target: 't', collection: 'c', phase: 'schema' } as const;
    expect(checkMigration(schema, { seed: 1 })).toEqual([]);
  });
});
