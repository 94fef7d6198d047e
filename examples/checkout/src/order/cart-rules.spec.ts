import { expect, it } from '@jest/globals';
import type { HttpRequest } from '@tidegate/sdk/nest';
import { cartViolations } from './cart-rules.ts';

const violations = (body: unknown) => cartViolations({ body } as HttpRequest);
const items = (...skus: unknown[]) => ({ items: skus.map((sku) => ({ sku, quantity: 1 })) });

it('wants each sku once and in lower case, and names the item', () => {
  expect(violations(items('tea', 'book'))).toEqual([]);
  expect(violations(items('tea', 'Book', 'tea'))).toEqual([
    { pointer: '#/items/1/sku', detail: 'a sku is in lower case' },
    { pointer: '#/items/2/sku', detail: 'this sku is in the cart already: raise its quantity' },
  ]);
});

it.each([undefined, null, 7, {}, { items: 'tea' }, { items: [null, 7, []] }])(
  'takes a body of any form: %j',
  (body) => {
    expect(() => violations(body)).not.toThrow();
  },
);
