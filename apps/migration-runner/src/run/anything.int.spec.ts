import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Migration, Row } from '@tidegate/migration';
import type { FaultPoint } from '@tidegate/store';
import { Crash, crashAt } from '@tidegate/store/testing';
import { points, runnerWorld, type Wrap } from './runner-world.contract.ts';

const sumOf = (order: Row): number => Number(order['a']) + Number(order['b']);
const totals: Migration = {
  id: 'totals',
  target: 'shop',
  collection: 'orders',
  pending: { total: { equals: null } },
  reads: ['a', 'b'],
  up: (order) => ({ ...order, total: sumOf(order) }),
};
const kinds: readonly Migration[] = [
  totals,
  { ...totals, down: (order) => ({ ...order, total: null }) },
  { ...totals, reads: undefined as never },
];
const ORDERS = 17;

/** What a shop's program does to an order. What it completes itself has a total above a thousand. */
const act = fc.record({
  id: fc.integer({ min: 1, max: ORDERS + 3 }),
  what: fc.constantFrom('a', 'note', 'complete', 'reset', 'delete', 'insert'),
  value: fc.integer({ min: 0, max: 99 }),
});
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;
const story = fc.record({
  migration: fc.constantFrom(...kinds),
  batchSize: fc.integer({ min: 1, max: 9 }),
  /** At each call of the database, in turn. */
  acts: fc.array(fc.array(act, { maxLength: 2 }), { maxLength: 40 }),
  crashes: fc.array(
    fc.record({ point: fc.constantFrom(...points), nth: fc.integer({ min: 1, max: 4 }) }),
    { maxLength: 3 },
  ),
});

const SQL: Readonly<Record<Act['what'], string>> = {
  a: 'UPDATE orders SET a = :value WHERE id = :id',
  note: `UPDATE orders SET note = 'mine ' || :value WHERE id = :id`,
  complete: 'UPDATE orders SET total = 1000 + :value WHERE id = :id AND total IS NULL',
  reset: 'UPDATE orders SET total = NULL, a = :value WHERE id = :id',
  delete: 'DELETE FROM orders WHERE id = :id',
  insert: `INSERT OR IGNORE INTO orders (id, a, b, note) VALUES (:id, :value, 1, 'new')`,
};

/** The shop goes on between any two calls, and knows what each order has to be but for its total. */
function shopping(world: ReturnType<typeof runnerWorld>, acts: readonly (readonly Act[])[]) {
  const orders = new Map(world.rows().map((row) => [row['id'], row]));
  let call = 0;
  let completed = 0;
  const shop = () => {
    for (const { id, what, value } of acts[call] ?? []) {
      const sql = SQL[what];
      const given = { id, ...(sql.includes(':value') ? { value } : {}) };
      const { changes } = world.database.prepare(sql).run(given);
      if (what === 'complete') completed += Number(changes);
      const now = world.rows().find((row) => row['id'] === id);
      if (now) orders.set(id, now);
      else orders.delete(id);
    }
    call += 1;
  };
  const wrap: Wrap = (target) => ({
    ...target,
    page: async (...given) => {
      const page = await target.page(...given);
      shop();
      return page;
    },
    find: async (...given) => {
      const rows = await target.find(...given);
      shop();
      return rows;
    },
    write: async (...given) => {
      shop();
      return target.write(...given);
    },
  });
  const writtenByRunner = () => Number(world.written()?.['up'] ?? 0) - completed;
  return { orders, wrap, writtenByRunner };
}

const without = ({ total: _total, ...order }: Row): Row => order;

/** Until the run has ended, however often its runner dies. */
async function finished(
  world: ReturnType<typeof runnerWorld>,
  run: string,
  wrap: Wrap,
  crashes: { point: FaultPoint; nth: number }[],
) {
  for (let shift = 0; shift < 20; shift += 1) {
    const crash = crashes.shift();
    const faults = crash ? { faults: crashAt(crash.point, crash.nth) } : {};
    try {
      await world.start({ wrap, ...faults }).advance(run);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
    const state = await world.state(run);
    if (state.status !== 'running') return state;
  }
  throw new Error(`${run} does not end`);
}

describe('whatever a program does meanwhile and wherever the runner dies', () => {
  it('no edit is lost, no order is transformed from what it was not, and all of it can be undone', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ({ migration, batchSize, acts, crashes }) => {
        const world = runnerWorld(ORDERS, migration);
        world.database.exec(`
            CREATE TABLE wrong (id, a, b, total);
            CREATE TRIGGER right AFTER UPDATE OF total ON orders
              WHEN new.total < 1000 AND new.total <> new.a + new.b BEGIN
              INSERT INTO wrong VALUES (new.id, new.a, new.b, new.total); END`);
        const { orders, wrap, writtenByRunner } = shopping(world, acts);
        const left = [...crashes];
        await world.ask('m-1', 'execute', { batchSize, minBatchSize: 1 });
        const run = await finished(world, 'm-1', wrap, left);
        expect(run).toMatchObject({ status: 'completed' });
        expect(world.rows().filter((row) => row['total'] === null)).toEqual([]);
        const { changed } = run.work.total;
        if (crashes.length === 0) expect(changed).toBe(writtenByRunner());
        expect(changed).toBeLessThanOrEqual(writtenByRunner());
        // What was written when the runner died is counted, unless it was edited before the next one looked.
        expect(changed).toBeGreaterThanOrEqual(writtenByRunner() - acts.flat().length);
        const same = () =>
          expect(world.rows().map(without)).toEqual(
            [...orders.values()].map(without).sort((x, y) => Number(x['id']) - Number(y['id'])),
          );
        same();
        await world.ask('m-2', 'revert');
        const reverted = await finished(world, 'm-2', wrap, left);
        expect(reverted).toMatchObject({ status: 'completed' });
        same();
        const listed = new Set(reverted.work.failures.map(({ key }) => key));
        for (const { id, total } of world.rows())
          if (total !== null && Number(total) < 1_000) expect([...listed]).toContain(id);
        expect(world.database.prepare('SELECT * FROM wrong').all()).toEqual([]);
      }),
      { numRuns: process.env['NIGHTLY'] === '1' ? 1_500 : 60 },
    );
  }, 600_000);
});
