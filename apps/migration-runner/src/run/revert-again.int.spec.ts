import { describe, expect, it } from '@jest/globals';
import type { Migration } from '@tidegate/migration';
import { runnerWorld } from './runner-world.contract.ts';

const totals: Migration = {
  id: 'totals',
  target: 'shop',
  collection: 'orders',
  pending: { total: { equals: null } },
  reads: ['a', 'b'],
  up: (order) => ({ ...order, total: Number(order['a']) + Number(order['b']) }),
};
type World = ReturnType<typeof runnerWorld>;

const refuse = (world: World, when: string): void =>
  world.database.exec(
    `CREATE TRIGGER refuses BEFORE UPDATE OF total ON orders WHEN ${when} BEGIN SELECT RAISE(ABORT, 'no'); END`,
  );
const agree = (world: World): void => world.database.exec('DROP TRIGGER refuses');
const kept = async (world: World): Promise<number> =>
  (await world.start().store.projection('migration-journal').read('totals', { limit: 100 })).length;

describe('a revert that could not put a document back', () => {
  const refusedOnce = async () => {
    const world = runnerWorld(12, totals);
    const before = world.rows();
    await world.run('m-1', 'execute');
    refuse(world, 'old.id = 4 AND new.total IS NULL');
    expect(await world.run('m-2', 'revert')).toMatchObject({
      status: 'completed',
      work: {
        total: { changed: 11, failed: 1 },
        failures: [{ key: 4, code: 'MIGRATION_DOCUMENT_REFUSED' }],
      },
      report: { verdict: 'look' },
    });
    expect(world.rows().filter(({ total }) => total !== null)).toMatchObject([{ id: 4 }]);
    agree(world);
    return { world, before };
  };

  it('is done again once the reason is gone, and nothing is left to undo then', async () => {
    const { world, before } = await refusedOnce();
    const again = await world.run('m-3', 'revert');
    expect(again).toMatchObject({
      status: 'completed',
      work: { total: { changed: 1, failed: 0 } },
    });
    expect(world.rows()).toEqual(before);
    expect(world.twice()).toEqual([]);
    await expect(world.ask('m-4', 'revert')).rejects.toThrow('MIGRATION_NOT_EXECUTED');
  });

  it('can be undone also after another execute, and what was kept is forgotten after that', async () => {
    const { world, before } = await refusedOnce();
    await world.run('m-3', 'execute');
    expect(await world.run('m-4', 'revert')).toMatchObject({ work: { failures: [] } });
    expect(world.rows()).toEqual(before);
    const held = await kept(world);
    await world.run('m-5', 'execute');
    expect(await kept(world)).toBeLessThan(held);
  });

  it('leaves it to a later one also where an execute undid itself', async () => {
    const world = runnerWorld(12, totals);
    const before = world.rows();
    refuse(world, '(old.id = 12 AND new.total IS NOT NULL) OR (old.id = 4 AND new.total IS NULL)');
    await world.ask('m-1', 'execute', { onFailure: 'revert', batchSize: 5 });
    for (let shift = 0; shift < 2; shift += 1) await world.start().advance('m-1');
    const failed = await world.state('m-1');
    expect(failed).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('is undone, but not 1 document.'),
      reverted: { changed: 10, failed: 1 },
    });
    agree(world);
    expect(await world.run('m-2', 'revert')).toMatchObject({ work: { total: { changed: 1 } } });
    expect(world.rows()).toEqual(before);
  });
});
