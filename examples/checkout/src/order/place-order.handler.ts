import type { Rejection } from '@tidegate/kernel';
import type { Faults } from '../feature/faults.ts';
import type { Serve } from '../feature/serve.handler.ts';
import { isConsistent, type Item, type Order, price, priceForLoyalty } from './order.ts';
import type { Orders } from './orders.sqlite.ts';

export interface PlacedOrder {
  readonly orderId: number;
  readonly discount: number;
  readonly total: number | null;
}

export type PlaceOrder = (userId: string, items: readonly Item[]) => PlacedOrder | Rejection;

/** Prices an order as the flag says, keeps it, and looks whether what it kept is right. */
export function placingOrders(parts: {
  readonly orders: Orders;
  readonly serve: Serve;
  readonly faults: Faults;
  readonly now: () => number;
  readonly violated: () => void;
}): PlaceOrder {
  const { orders, serve, faults, now, violated } = parts;
  const keep = (order: Order): PlacedOrder => {
    const orderId = orders.add(order, now());
    const kept = orders.find(orderId);
    if (kept === undefined || !isConsistent(kept)) violated();
    return { orderId, discount: order.discount, total: order.total };
  };
  return (userId, items) =>
    serve('checkout', {
      off: () => keep(price(userId, items)),
      on: () => keep(faults.spoilTotal(priceForLoyalty(userId, items, orders.spentBy(userId)))),
    });
}
