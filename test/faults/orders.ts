import type { Row } from '@tidegate/migration';

/** Orders as a program of the old form writes them; `generation` tells how often one was migrated. */
export const orderOf = (id: number): Row => ({
  items: Math.abs(id) % 7,
  price: 100 + (Math.abs(id) % 13),
  total: null,
  note: `n${id}`,
  generation: 0,
  doc: { state: 'old', size: Math.abs(id) % 5, tags: ['a', { b: id }] },
});

/** What a program does to one order. */
export type Deed =
  | { readonly kind: 'insert' }
  | { readonly kind: 'delete' }
  /** Of what the migration neither reads nor changes. */
  | { readonly kind: 'note'; readonly note: string }
  /** Of what it reads. */
  | { readonly kind: 'price'; readonly price: number }
  /** Beside what it changes, in the same object. */
  | { readonly kind: 'size'; readonly size: number };

/** Orders in a real database, and a program that writes them beside the runner, by connections of its own. */
export interface Orders extends AsyncDisposable {
  /** For MIGRATION_TARGETS. */
  readonly url: string;
  readonly key: 'id' | '_id';
  /** Makes orders 1 … n. */
  seed(count: number): Promise<void>;
  do(id: number, deed: Deed): Promise<void>;
  /** By key. */
  all(): Promise<ReadonlyMap<number, Row>>;
}

/** The text of the migration; `up` counts how often it was applied. */
export const migrationText = (key: string, extra = ''): string => `
  export default {
    id: 'order-totals',
    target: 'shop',
    collection: 'orders',
    key: '${key}',
    pending: { total: { equals: null } },
    reads: ['items', 'price', 'generation', 'doc.state'],
    up: (order) => ({
      ...order,
      total: order.items * order.price,
      generation: order.generation + 1,
      doc: { ...order.doc, state: 'new' },
    }),
    down: (order) => ({
      ...order,
      total: null,
      generation: order.generation - 1,
      doc: { ...order.doc, state: 'old' },
    }),
    invariants: [{ name: 'total-not-negative', holds: ({ total }) => total === null || total >= 0 }],
    ${extra}
  };
`;

export const up = (order: Row): Row => ({
  ...order,
  total: Number(order['items']) * Number(order['price']),
  generation: Number(order['generation']) + 1,
  doc: { ...(order['doc'] as object), state: 'new' },
});
