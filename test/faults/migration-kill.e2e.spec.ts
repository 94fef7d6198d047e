import { afterAll, describe, expect, it, jest } from '@jest/globals';
import type { FaultPoint } from '@tidegate/store';
import { MigrationHouse, type RunBody } from './migration-house.ts';
import { seeded, wrongOrders } from './migration.oracle.ts';
import { isNightly } from './nightly.ts';
import { drawn, openDatabases } from './orders.databases.ts';

jest.setTimeout(isNightly ? 600_000 : 60_000);

const { databases, close } = await openDatabases();
afterAll(close);
const draw = drawn();

const BATCHES = 22;
const BATCH = 5;
const ORDERS = BATCHES * BATCH;
const all = { changed: ORDERS, mismatched: 0 };
const nths = Array.from({ length: 20 }, (_, index) => index + 1);
const executing: readonly FaultPoint[] = [
  'batch.read',
  'batch.journaled',
  'batch.written',
  'batch.recorded',
  'execute.saved',
  'outbox.published',
];
const reverting: readonly FaultPoint[] = ['revert.read', 'revert.written', 'revert.recorded'];

type Kill = readonly [FaultPoint, number];
const every = (points: readonly FaultPoint[]): readonly Kill[] =>
  points.flatMap((point) => nths.map((nth) => [point, nth] as const));
const oneOf = (points: readonly FaultPoint[]): Kill => {
  const all = every(points);
  return all[Math.floor(draw() * all.length)] as Kill;
};

/** A run whose runners are killed, one after another; each of them comes to the place where it is. */
async function killed(
  house: MigrationHouse,
  action: 'execute' | 'revert',
  kills: readonly Kill[],
): Promise<RunBody> {
  const [first, ...later] = kills;
  const isOfBatches = first !== undefined && /^(batch|revert)/.test(first[0]);
  // Else it would be the request that comes there.
  if (isOfBatches) house.kill(...first);
  const run = await house.run({ action, batchSize: BATCH });
  if (first && !isOfBatches) house.kill(...first);
  const isDead = (await house.ended(run)) === undefined;
  if (isOfBatches) expect(isDead).toBe(true);
  for (const kill of isDead ? later : []) {
    house.kill(...kill);
    await house.restart();
    if (await house.ended(run)) break; // it does not come there so often any more
  }
  const body = await house.endedAtLast(run);
  expect(`${body.status} ${body.message ?? ''}`).toBe('completed ');
  return body;
}

describe.each(databases)('a migration of $name whose runner is killed', ({ open }) => {
  const run = open ? it : it.skip;
  const cases = isNightly
    ? every(executing).map((kill, index) => [kill, every(reverting)[index % 60] as Kill] as const)
    : [[oneOf(executing), oneOf(reverting)] as const];

  run.each(cases)(
    'at %j, and while it is undone at %j, changes every document once, and back',
    async (kill, later) => {
      await using orders = await open!();
      await orders.seed(ORDERS);
      await using house = new MigrationHouse(orders);
      await house.start();
      expect((await killed(house, 'execute', [kill])).counts).toMatchObject(all);
      expect(wrongOrders(seeded(ORDERS), await orders.all())).toEqual([]);
      const { counts } = await killed(house, 'revert', [later]);
      // Of the batch that was under way it is seen only that it is as it was; one that was kept twice is looked at twice.
      expect(counts.changed).toBeLessThanOrEqual(ORDERS);
      expect(counts.changed + counts.skipped).toBeGreaterThanOrEqual(ORDERS);
      expect(counts).toMatchObject({ mismatched: 0, failed: 0 });
      expect(wrongOrders(seeded(ORDERS), await orders.all(), () => false)).toEqual([]);
    },
  );

  (isNightly ? run : it.skip)('again and again, comes to its end', async () => {
    await using orders = await open!();
    await orders.seed(ORDERS);
    await using house = new MigrationHouse(orders);
    await house.start();
    const kills = Array.from({ length: 20 }, () => oneOf(executing));
    const soon = kills.map(([point, nth]) => [point, 1 + (nth % 3)] as const);
    expect((await killed(house, 'execute', soon)).counts).toMatchObject(all);
    expect(wrongOrders(seeded(ORDERS), await orders.all())).toEqual([]);
  });
});
