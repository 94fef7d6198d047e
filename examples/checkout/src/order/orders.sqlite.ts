import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Item, Order } from './order.ts';

export class Orders {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #total: StatementSync;
  readonly #spent: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare(
      'INSERT INTO orders (user_id, items, discount, total, created_at) VALUES (?, ?, ?, ?, ?)',
    );
    this.#find = database.prepare('SELECT * FROM orders WHERE id = ?');
    this.#total = database.prepare('SELECT total FROM orders WHERE id = ?');
    this.#spent = database.prepare('SELECT sum(total) AS spent FROM orders WHERE user_id = ?');
  }

  /** Its id. `createdAt` in ms since 1970. */
  add({ userId, items, discount, total }: Order, createdAt: number): number {
    const { lastInsertRowid } = this.#insert.run(
      userId,
      JSON.stringify(items),
      discount,
      total,
      createdAt,
    );
    return Number(lastInsertRowid);
  }

  find(id: number): Order | undefined {
    const row = this.#find.get(id);
    if (!row) return undefined;
    return {
      userId: String(row['user_id']),
      items: JSON.parse(String(row['items'])) as Item[],
      discount: Number(row['discount']),
      total: row['total'] === null ? null : Number(row['total']),
    };
  }

  /** Undefined: no such order; null: one whose total was not kept. */
  total(id: number): number | null | undefined {
    const row = this.#total.get(id);
    return row && (row['total'] === null ? null : Number(row['total']));
  }

  /** By orders that have a total. */
  spentBy(userId: string): number {
    return Number(this.#spent.get(userId)?.['spent'] ?? 0);
  }

  /** Fills an empty table with orders of the old shape, the same ones each time. */
  seed(count: number, createdAt: number): void {
    if (this.#database.prepare('SELECT 1 FROM orders LIMIT 1').get()) return;
    this.#database.exec('BEGIN');
    for (let n = 0; n < count; n += 1)
      this.add(
        {
          userId: `user-${n % 500}`,
          items: [
            { sku: `book-${n % 40}`, price: 1_000 + (n % 37) * 100, quantity: 1 + (n % 3) },
            { sku: `tea-${n % 7}`, price: 450, quantity: 1 },
          ],
          discount: 0,
          total: null,
        },
        createdAt,
      );
    this.#database.exec('COMMIT');
  }
}
