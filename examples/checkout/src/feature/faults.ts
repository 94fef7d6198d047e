import { AppError } from '@tidegate/kernel';
import type { Order } from '../order/order.ts';
import { type Feature, features } from './feature.ts';

/** Shares of requests on the new path, 0 … 1. */
export interface FaultRates {
  /** Answered with status 500. */
  readonly newPathErrorRate: number;
  /** Kept with a total that is a cent off; only the checkout has totals. */
  readonly wrongTotalRate: number;
}

const NONE: FaultRates = { newPathErrorRate: 0, wrongTotalRate: 0 };

/** What goes wrong on purpose, so that there is something to roll back. */
export class Faults {
  readonly #rates: Record<Feature, FaultRates> = { checkout: NONE, payment: NONE };
  readonly #random: () => number;

  /** @param random uniform in [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  get rates(): Readonly<Record<Feature, FaultRates>> {
    return { ...this.#rates };
  }

  /** Of one feature, or of all; what is left out stays. */
  set(rates: Partial<FaultRates>, feature?: Feature): void {
    for (const each of feature ? [feature] : features)
      this.#rates[each] = { ...this.#rates[each], ...rates };
  }

  /** Thrown CHECKOUT_FAULT_INJECTED, as often as the rate says. */
  strike(feature: Feature): void {
    if (this.#random() < this.#rates[feature].newPathErrorRate)
      throw new AppError('CHECKOUT_FAULT_INJECTED', `The new path of ${feature} failed.`);
  }

  spoilTotal(order: Order): Order {
    const isSpoilt = this.#random() < this.#rates.checkout.wrongTotalRate;
    return isSpoilt && order.total !== null ? { ...order, total: order.total + 1 } : order;
  }
}
