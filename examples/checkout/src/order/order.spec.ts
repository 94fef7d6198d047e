import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { amountByItems, isConsistent, payable, price, priceForLoyalty } from './order.ts';

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

describe('the amount', () => {
  it('by the items is the total, where there is one', () => {
    fc.assert(
      fc.property(items, fc.nat({ max: 10_000_00 }), (bought, spentBefore) => {
        for (const order of [price('ann', bought), priceForLoyalty('ann', bought, spentBefore)])
          expect(amountByItems(order)).toBe(order.total);
      }),
    );
  });

  it('is refused when it is nothing', () => {
    expect(payable(1)).toBe(1);
    expect(payable(0)).toMatchObject({ code: 'ORDER_NOTHING_TO_PAY' });
  });
});
