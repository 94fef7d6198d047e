import { AppError, isRejection, reject, type Rejection } from '@tidegate/kernel';
import type { Serve } from '../feature/serve.handler.ts';
import type { AmountOf } from '../order/amount-of.ts';
import { payable } from '../order/order.ts';
import type { Payments } from './payments.sqlite.ts';

export interface Paid {
  readonly paymentId: number;
  readonly amount: number;
}

export type Pay = (orderId: number) => Paid | Rejection;

/** Takes the money for an order: authorised and then captured, or, on the new path, captured at once. */
export const paying =
  (amountOf: AmountOf, payments: Payments, serve: Serve): Pay =>
  (orderId) => {
    const charge = (take: (amount: number) => number): Paid | Rejection => {
      const found = amountOf(orderId);
      if (found === undefined) return reject('ORDER_UNKNOWN', `There is no order ${orderId}.`);
      if (found === null)
        throw new AppError('ORDER_TOTAL_MISSING', `The total of order ${orderId} was not kept.`);
      const amount = payable(found);
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
