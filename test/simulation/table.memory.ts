import { deserialize, serialize } from 'node:v8';
import { matches, type Migration, type Row } from '@tidegate/migration';
import type { Loaded } from '@tidegate/migration/files';
import type {
  Selection,
  Target,
  Targets,
} from '../../apps/migration-runner/src/target/target.port.ts';
import type { Life, Sim } from './sim.ts';

interface Order {
  readonly id: number;
  readonly amount: number;
  readonly total?: number;
}

const ORDERS = 23;

/** The example's migration: as a user would write it. */
export const orderTotals: Loaded = {
  migration: {
    id: 'order-totals',
    target: 'orders',
    collection: 'orders',
    pending: { total: { equals: null } },
    up: (order) => ({ ...order, total: Number(order['amount']) * 2 }),
  } satisfies Migration,
  hash: 'sha256:order-totals',
  file: 'order-totals.ts',
};

/** A database that counts how often each document was written. */
export class Table {
  readonly written = new Map<number, number>();
  readonly #rows = new Map<number, Order>(
    Array.from({ length: ORDERS }, (_, index) => [index + 1, { id: index + 1, amount: index }]),
  );

  targets(sim: Sim, life: Life): Targets {
    const select = ({ filters }: Selection) =>
      [...this.#rows.values()].filter((row) =>
        filters.every((filter) => matches(filter, { ...row })),
      );
    const target: Target = {
      hasColumns: false,
      count: async (selection) => select(selection).length,
      page: async (selection, after, limit) => {
        await sim.gate(life, 'page');
        const rows = select(selection).filter(
          ({ id }) => after === undefined || id > Number(after),
        );
        return rows.slice(0, limit).map((row) => ({ ...row }));
      },
      find: async (selection, keys) =>
        select(selection)
          .filter(({ id }) => keys.includes(id))
          .map((row) => ({ ...row })),
      write: async (_selection, writes) => {
        await sim.gate(life, 'write');
        const results = writes.map(({ before, after }) => {
          const id = Number(before['id']);
          if (JSON.stringify(this.#rows.get(id)) !== JSON.stringify(before)) return 'conflict';
          this.#rows.set(id, after as unknown as Order);
          this.written.set(id, (this.written.get(id) ?? 0) + 1);
          return 'written';
        });
        await sim.gate(life, 'write done');
        return results;
      },
      server: async () => 'memory',
      keyOf: (_selection, row) => Number(row['id']),
      readBy: async () => ({ index: 'id', detail: 'id' }),
      health: async () => ({ detail: [] }),
      pack: (rows) => serialize(rows),
      unpack: (bytes) => deserialize(bytes) as readonly Row[],
      schema: {
        missing: async () => [],
        ensure: async () => undefined,
        drop: async () => undefined,
      },
      close: async () => undefined,
    };
    return { open: async () => target };
  }
}
