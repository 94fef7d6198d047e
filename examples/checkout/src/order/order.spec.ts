import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { amountDue, isConsistent, price, priceForLoyalty, sumOf } from './order.ts';

const items = fc.array(
  fc.record({
    sku: fc.string(),
    price: fc.integer({ min: 0, max: 1_000_00 }),
    quantity: fc.integer({ min: 1, max: 10 }),
  }),
);

describe('pricing', () => {
  it('is consistent on both paths, whatever was bought and spent before', () => {
    fc.assert(
      fc.property(items, fc.nat({ max: 10_000_00 }), (bought, spentBefore) => {
        expect(isConsistent(price('ann', bought))).toBe(true);
        expect(isConsistent(priceForLoyalty('ann', bought, spentBefore))).toBe(true);
      }),
    );
  });

  it('gives 5 % to who has spent 500.00 before, and nothing to others', () => {
    const bought = [{ sku: 'tea', price: 10_00, quantity: 2 }];
    expect(priceForLoyalty('ann', bought, 499_99)).toMatchObject({ discount: 0, total: 20_00 });
    expect(priceForLoyalty('ann', bought, 500_00)).toMatchObject({ discount: 1_00, total: 19_00 });
  });

  it('notices a total that is a cent off', () => {
    const order = price('ann', [{ sku: 'tea', price: 10_00, quantity: 1 }]);
    expect(isConsistent({ ...order, total: 10_01 })).toBe(false);
  });
});

describe('the amount due', () => {
  it('of an old order is the sum of its items', () => {
    const bought = [{ sku: 'tea', price: 10_00, quantity: 3 }];
    const old = { userId: 'ann', items: bought, discount: 0, total: null };
    expect(amountDue(old)).toBe(sumOf(bought));
  });

  it('is refused when it is nothing', () => {
    expect(amountDue(price('ann', []))).toMatchObject({ code: 'ORDER_NOTHING_TO_PAY' });
  });
});
