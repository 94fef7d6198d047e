import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const BUSY_WAIT_MS = 5_000;

/*
 * orders    total is NULL in the rows of the old shape; items is a JSON array of {sku, price, quantity}
 * payments  one row for each payment of an order
 */
const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, items TEXT NOT NULL,
    discount INTEGER NOT NULL DEFAULT 0, total INTEGER, created_at INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS orders_by_user ON orders (user_id, total);
  CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id),
    amount INTEGER NOT NULL, status TEXT NOT NULL CHECK (status IN ('authorised', 'captured'))
  );
`;

/** The service's own database; a migration may write to the same file from another process. */
export function openDatabase(file: string): DatabaseSync {
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: BUSY_WAIT_MS });
  database.exec(SCHEMA);
  return database;
}
