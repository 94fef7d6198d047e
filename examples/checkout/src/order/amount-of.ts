import type { DualReadOptions } from '@tidegate/sdk';
import { amountByItems } from './order.ts';
import type { Orders } from './orders.sqlite.ts';

/** What an order costs. Undefined: no such order; null: its total was not kept, which only the new reading can meet. */
export type AmountOf = (orderId: number) => number | null | undefined;

/**
 * The amount was always added up from the items; the flag `order-amount` brings in that the kept total is read instead,
 * which old orders have once the migration `order-totals` has run.
 */
export const amountReadings = (
  orders: Orders,
): DualReadOptions<Parameters<AmountOf>, ReturnType<AmountOf>> => ({
  name: 'order-amount',
  flag: 'order-amount',
  old: (orderId) => {
    const order = orders.find(orderId);
    return order && amountByItems(order);
  },
  new: (orderId) => orders.total(orderId),
  compare: 'after',
});
