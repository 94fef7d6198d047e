import { equal, type Row } from '@tidegate/migration';
import { type Deed, orderOf, up } from './orders.ts';

/** What programs did to each order, in its order; an order that was there from the start begins with `insert`. */
export type History = ReadonlyMap<number, readonly Deed[]>;

/**
 * What a sequential reference does not give: of each order, the deeds one after another, and at one place between them the
 * migration, once. `migrated: false`: nowhere. Nothing else may be in the database.
 */
export function wrongOrders(
  history: History,
  found: ReadonlyMap<number, Row>,
  migrated: (id: number) => boolean = () => true,
): readonly string[] {
  const wrong: string[] = [];
  for (const [id, deeds] of history) {
    const now = found.get(id);
    const outcomes = migrated(id) ? migratedOnce(id, deeds) : [replayed(id, deeds)];
    if (outcomes.some((outcome) => equal(outcome, now))) continue;
    wrong.push(`order ${id} is ${text(now)} after ${text(deeds)}, expected ${text(outcomes[0])}`);
  }
  for (const id of found.keys()) if (!history.has(id)) wrong.push(`order ${id} came from nowhere`);
  return wrong;
}

function migratedOnce(id: number, deeds: readonly Deed[]): readonly (Row | undefined)[] {
  return deeds.flatMap((_deed, at) => {
    const before = replayed(id, deeds.slice(0, at + 1));
    // Deleted before it could be migrated.
    return [replayed(id, deeds.slice(at + 1), before && up(before))];
  });
}

const replayed = (id: number, deeds: readonly Deed[], begun?: Row): Row | undefined => {
  let order = begun;
  for (const deed of deeds) order = after(deed, id, order);
  return order;
};

function after(deed: Deed, id: number, order: Row | undefined): Row | undefined {
  switch (deed.kind) {
    case 'insert':
      return orderOf(id);
    case 'delete':
      return undefined;
    case 'size':
      return order && { ...order, doc: { ...(order['doc'] as object), size: deed.size } };
    case 'note':
      return order && { ...order, note: deed.note };
    case 'price':
      return order && { ...order, price: deed.price };
  }
}

const text = (value: unknown): string => JSON.stringify(value) ?? 'gone';

export const seeded = (count: number): Map<number, Deed[]> =>
  new Map(Array.from({ length: count }, (_, index) => [index + 1, [{ kind: 'insert' }]]));
