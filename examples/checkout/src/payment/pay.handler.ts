import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import type { Serve } from '../feature/serve.handler.ts';
import { amountDue } from '../order/order.ts';
import type { Orders } from '../order/orders.sqlite.ts';
import type { Payments } from './payments.sqlite.ts';

export interface Paid {
  readonly paymentId: number;
  readonly amount: number;
}

export type Pay = (orderId: number) => Paid | Rejection;

/** Takes the money for an order: authorised and then captured, or, on the new path, captured at once. */
export const paying =
  (orders: Orders, payments: Payments, serve: Serve): Pay =>
  (orderId) => {
    const charge = (take: (amount: number) => number): Paid | Rejection => {
      const order = orders.find(orderId);
      if (!order) return reject('ORDER_UNKNOWN', `There is no order ${orderId}.`);
      const amount = amountDue(order);
      return isRejection(amount) ? amount : { paymentId: take(amount), amount };
    };
    return serve('payment', {
      off: () =>
        charge((amount) => {
          const paymentId = payments.add(orderId, amount, 'authorised');
          payments.capture(paymentId);
          return paymentId;
        }),
      on: () => charge((amount) => payments.add(orderId, amount, 'captured')),
    });
  };
