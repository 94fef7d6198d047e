import { defineMigration } from '@tidegate/migration';

/** A row of `orders`. Money in cents; `items` is a JSON array of {price, quantity, …}. */
interface OrderRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly items: string;
  readonly discount: number;
  readonly total?: number | null;
}

const totalOf = ({ items, discount }: OrderRow): number =>
  (JSON.parse(items) as { price: number; quantity: number }[]).reduce(
    (sum, { price, quantity }) => sum + price * quantity,
    0,
  ) - discount;

const isWithout = ({ total }: OrderRow): boolean => total === undefined || total === null;

export default defineMigration<OrderRow>({
  id: 'order-totals',
  description: 'Keeps with each order what it costs; the new pricing adds these up.',
  target: 'checkout',
  collection: 'orders',
  pending: { total: { equals: null } },
  reads: ['items', 'discount'],
  up: (order) => (isWithout(order) ? { ...order, total: totalOf(order) } : order),
  down: (order) => ({ ...order, total: null }),
  invariants: [
    {
      name: 'total-is-sum-of-items-less-discount',
      holds: (order) => isWithout(order) || order.total === totalOf(order),
    },
  ],
  samples: [
    {
      id: 1,
      items: '[{"sku":"tea","price":450,"quantity":2},{"sku":"cup","price":900,"quantity":1}]',
      discount: 0,
      total: null,
    },
    { id: 2, items: '[]', discount: 0, total: null },
    { id: 3, items: '[{"sku":"pot","price":2900,"quantity":1}]', discount: 290, total: null },
  ],
});
