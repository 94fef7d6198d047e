import { reject, type Rejection } from '@tidegate/kernel';

/** Money is in cents throughout. */
export interface Item {
  readonly sku: string;
  readonly price: number;
  readonly quantity: number;
}

export interface Order {
  readonly userId: string;
  readonly items: readonly Item[];
  readonly discount: number;
  /** What the user pays. Orders from before it was kept have none, until the migration adds it. */
  readonly total: number | null;
}

export const sumOf = (items: readonly Item[]): number =>
  items.reduce((sum, { price, quantity }) => sum + price * quantity, 0);

/** The pricing there has always been. */
export const price = (userId: string, items: readonly Item[]): Order => ({
  userId,
  items,
  discount: 0,
  total: sumOf(items),
});

const LOYAL_FROM = 500_00;
const LOYAL_SHARE = 0.05;

/** The new pricing: 5 % off for who has spent 500.00 before. It needs the totals of all earlier orders. */
export function priceForLoyalty(
  userId: string,
  items: readonly Item[],
  spentBefore: number,
): Order {
  const sum = sumOf(items);
  const discount = spentBefore >= LOYAL_FROM ? Math.floor(sum * LOYAL_SHARE) : 0;
  return { userId, items, discount, total: sum - discount };
}

/** What must hold of every order that has a total. */
export const isConsistent = ({ items, discount, total }: Order): boolean =>
  total === null || total + discount === sumOf(items);

/** What an order costs by its items: how it was always found out. */
export const amountByItems = ({ items, discount }: Order): number => sumOf(items) - discount;

/** What is to be paid, refused if that is nothing. */
export const payable = (amount: number): number | Rejection =>
  amount > 0 ? amount : reject('ORDER_NOTHING_TO_PAY', 'There is nothing to pay for this order.');
