import type { Order } from './migration.data.ts';

/** A database that holds `orders`, and what a program without Tidegate does with it. */
export interface Database {
  /** As an option of the runner says it. */
  readonly url: string;
  /** Anew, with so many orders that have no total. */
  load(documents: number, kilobytes: number): Promise<void>;
  /**
   * The bare loop: pages of this size by key, transformed and written in one go by key, durable as ours; nothing is
   * compared, kept, counted or recorded. Resolves with the number of what it has changed.
   */
  bare(pageSize: number): Promise<number>;
  /** One order by its key, as a program does that serves people. */
  read(n: number): Promise<unknown>;
  /** How many have no total. */
  pending(): Promise<number>;
  close(): Promise<void>;
}

/** PAGE: how many documents are in a batch, of everybody's. */
export const PAGE = Number(process.env['PAGE'] ?? 1_000);
const LOADED_AT_ONCE = 500;

/** For a load: orders in groups. */
export async function inGroups(
  documents: number,
  orderOf: (n: number) => Order,
  insert: (first: number, orders: readonly Order[]) => Promise<void>,
): Promise<void> {
  for (let first = 0; first < documents; first += LOADED_AT_ONCE) {
    const count = Math.min(LOADED_AT_ONCE, documents - first);
    await insert(
      first,
      Array.from({ length: count }, (_, index) => orderOf(first + index)),
    );
  }
}
