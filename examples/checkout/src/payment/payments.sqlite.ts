import type { DatabaseSync, StatementSync } from 'node:sqlite';

export class Payments {
  readonly #insert: StatementSync;
  readonly #capture: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(
      'INSERT INTO payments (order_id, amount, status) VALUES (?, ?, ?)',
    );
    this.#capture = database.prepare("UPDATE payments SET status = 'captured' WHERE id = ?");
  }

  /** Its id. */
  add(orderId: number, amount: number, status: 'authorised' | 'captured'): number {
    return Number(this.#insert.run(orderId, amount, status).lastInsertRowid);
  }

  capture(id: number): void {
    this.#capture.run(id);
  }
}
