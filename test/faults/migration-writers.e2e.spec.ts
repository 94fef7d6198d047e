import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { MigrationHouse, type RunBody } from './migration-house.ts';
import { seeded, wrongOrders } from './migration.oracle.ts';
import { isNightly } from './nightly.ts';
import { drawn, openDatabases } from './orders.databases.ts';
import { writeOrders } from './order-writers.ts';

jest.setTimeout(isNightly ? 600_000 : 120_000);

const { databases, close } = await openDatabases();
afterAll(close);
const draw = drawn();

const perSecond = (database: string): number => (database === 'MongoDB' ? 100 : 1_000);
/** FerretDB looks for the documents of each batch anew: many would take hours. */
const ordersOf = (database: string): number =>
  isNightly && database !== 'MongoDB' ? 20_000 : 1_000;
const ROUNDS = isNightly ? 5 : 1;

async function ended(house: MigrationHouse, action: string): Promise<RunBody> {
  const run = await house.run({ action, batchSize: 200, minBatchSize: 50 });
  const body = await house.endedAtLast(run);
  expect(`${body.status} ${body.message ?? ''}`).toBe('completed ');
  return body;
}

describe.each(databases)(
  'a migration of $name that others write to meanwhile',
  ({ name, open }) => {
    it.each(open ? Array.from({ length: ROUNDS }, (_, round) => round) : [])(
      'overwrites nothing, forgets nothing and migrates once, also where its runner is killed, and takes all of it back (%i)',
      async (round) => {
        await using orders = await open!();
        await orders.seed(ordersOf(name));
        const history = seeded(ordersOf(name));
        await using house = new MigrationHouse(orders);
        await house.start();
        const writing = { draw, perSecond: perSecond(name), history };
        await using writers = writeOrders(orders, writing);
        if (round % 2 === 0) house.kill('batch.written', 3);
        const first = await ended(house, 'execute');
        const done = await writers.stop();
        process.stderr.write(`${name}: ${done} writes beside the run\n`);
        // What was inserted after the last look of the first run.
        const second = await ended(house, 'execute');
        const now = await orders.all();
        expect(wrongOrders(history, now).slice(0, 3)).toEqual([]);
        const changed = first.counts.changed + second.counts.changed;
        // What somebody edited before a killed batch was counted may not be known to be ours.
        const edited = first.counts.mismatched + second.counts.mismatched;
        expect(changed + edited).toBeGreaterThanOrEqual(now.size);
        expect(changed).toBeLessThanOrEqual(history.size);

        await using others = writeOrders(orders, { ...writing, only: ['note', 'size', 'price'] });
        await ended(house, 'revert');
        await others.stop();
        expect(wrongOrders(history, await orders.all(), () => false).slice(0, 3)).toEqual([]);
      },
    );
  },
);
