import { DatabaseSync } from 'node:sqlite';

export interface Order {
  readonly id: number;
  readonly items: string;
  readonly discount: number;
  readonly total: number | null;
}

/** The table that the migration `order-totals` of the example works on. */
export interface Orders {
  readonly file: string;
  /** Of the old shape: without a total. */
  add(count: number): void;
  /** Those without the right total. */
  wrong(): readonly Order[];
  close(): void;
}

export function openOrders(file: string): Orders {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE orders (
      id INTEGER PRIMARY KEY, items TEXT NOT NULL, discount INTEGER NOT NULL, total INTEGER
    );
  `);
  const insert = database.prepare('INSERT INTO orders (items, discount) VALUES (?, ?)');
  return {
    file,
    add: (count) => {
      for (let n = 0; n < count; n += 1)
        insert.run(JSON.stringify([{ sku: `sku-${n}`, price: 100 + n, quantity: 1 + (n % 3) }]), n);
    },
    wrong: () =>
      (database.prepare('SELECT * FROM orders').all() as unknown as Order[]).filter(isWrong),
    close: () => database.close(),
  };
}

export function isWrong({ items, discount, total }: Order): boolean {
  const lines = JSON.parse(items) as readonly { price: number; quantity: number }[];
  return total !== lines.reduce((sum, { price, quantity }) => sum + price * quantity, -discount);
}
