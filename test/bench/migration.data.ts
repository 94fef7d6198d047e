import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A document, or row, of `orders`. */
export interface Order {
  readonly customer: string;
  readonly quantity: number;
  readonly price: number;
  readonly status: string;
  /** What makes it as large as it is to be. */
  readonly note: string;
  readonly total?: number | null;
  readonly stage?: string | null;
}

const STATUSES = ['placed', 'paid', 'packed', 'sent', 'returned'];
const WORDS =
  'tea cup pot of the with and blue green large small gift wrapped no please ring bell leave at door'.split(
    ' ',
  );
const OTHER_FIELDS_BYTES = 160;

/** The same for the same number. Text of words at random, which compresses as text does. */
export function orderOf(n: number, kilobytes: number): Order {
  let seed = n * 2_654_435_761;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed % below;
  };
  const length = kilobytes * 1_024 - OTHER_FIELDS_BYTES;
  let note = '';
  while (note.length < length) note += `${WORDS[next(WORDS.length)]} ${next(1_000)} `;
  return {
    customer: `customer-${next(100_000)}`,
    quantity: 1 + next(9),
    price: 100 + next(9_900),
    status: STATUSES[next(STATUSES.length)] ?? '',
    note: note.slice(0, length),
  };
}

/** What everybody here does to an order. */
export const up = <O extends Order>(order: O): O => ({
  ...order,
  total: order.quantity * order.price,
  stage: `${order.status}-1`,
});

export const READS = ['quantity', 'price', 'status'] as const;

const migration = (id: string, target: string, more: string) => `export default {
  id: '${id}',
  target: '${target}',
  collection: 'orders',
  pending: { total: { equals: null } },${more}
  up: (order) => ({ ...order, total: order.quantity * order.price, stage: \`\${order.status}-1\` }),
  down: (order) => ({ ...order, total: null, stage: null }),
  invariants: [
    { name: 'total-is-product', holds: ({ total, quantity, price }) => (total ?? null) === null || total === quantity * price },
  ],
};
`;

/** Migrations of the target: one that names what it reads, and one that compares whole documents. */
export async function writeMigrations(folder: string, target: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const reads = `\n  reads: ${JSON.stringify(READS)},`;
  await writeFile(join(folder, 'orders.ts'), migration('orders', target, reads));
  await writeFile(join(folder, 'orders-whole.ts'), migration('orders-whole', target, ''));
}
