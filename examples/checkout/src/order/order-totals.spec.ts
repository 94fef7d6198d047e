import { describe, expect, it } from '@jest/globals';
import { matches, migrationProblems, transform } from '@tidegate/migration';
import fc from 'fast-check';
import orderTotals from '../../migrations/order-totals.ts';
import { price, priceForLoyalty } from './order.ts';

const items = fc.array(
  fc.record({
    sku: fc.string(),
    price: fc.nat({ max: 1_000_00 }),
    quantity: fc.integer({ min: 1, max: 10 }),
  }),
);
const oldOrder = fc
  .record({ id: fc.nat(), items, discount: fc.constant(0) })
  .map((order) => ({ ...order, items: JSON.stringify(order.items), total: null }));

describe('the migration order-totals', () => {
  it('is a migration that the runner accepts', () => {
    expect(migrationProblems(orderTotals)).toEqual([]);
  });

  it('leaves nothing pending, changes only the total, twice the same, and can be taken back', () => {
    fc.assert(
      fc.property(oldOrder, (order) => {
        expect(matches(orderTotals.pending, order)).toBe(true);
        expect(transform(orderTotals as never, order)).toMatchObject({
          kind: 'changed',
          changes: [{ path: ['total'], value: expect.any(Number) }],
        });
        const migrated = orderTotals.up(order);
        expect(orderTotals.up(migrated)).toEqual(migrated);
        expect(orderTotals.down?.(migrated)).toEqual(order);
      }),
    );
  });

  it('gives an old order the total that both pricings would give it, and leaves theirs alone', () => {
    fc.assert(
      fc.property(items, fc.nat({ max: 1_000_00 }), (bought, spentBefore) => {
        for (const order of [price('ann', bought), priceForLoyalty('ann', bought, spentBefore)]) {
          const row = { ...order, id: 1, items: JSON.stringify(bought) };
          expect(orderTotals.up(row)).toBe(row);
          expect(orderTotals.up({ ...row, total: null })).toEqual(row);
        }
      }),
    );
  });
});
