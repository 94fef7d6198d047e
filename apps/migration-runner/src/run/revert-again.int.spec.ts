import { describe, expect, it } from '@jest/globals';
import { Crash, crashAt } from '@tidegate/store/testing';
import { runnerWorld, totals } from './runner-world.contract.ts';

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

  it('leaves it to a later one also where a rollout was rolled back', async () => {
    const world = runnerWorld(12, totals);
    const rollout = { id: 'r-1', generation: 1 };
    await world.run('m-1', 'execute');
    world.database.exec('INSERT INTO orders (id, a, b) VALUES (20, 1, 1), (21, 1, 1)');
    const before = world.rows();
    await world.run('r-1.0.0', 'execute', { rollout });
    refuse(world, 'old.id = 20 AND new.total IS NULL');
    expect(await world.run('m-2', 'revert', { rollout })).toMatchObject({
      work: { total: { matched: 2, changed: 1, failed: 1 } },
    });
    agree(world);
    expect(await world.run('m-3', 'revert', { rollout })).toMatchObject({
      work: { total: { matched: 2, changed: 1, failed: 0 } },
    });
    expect(world.rows()).toEqual(before);
  });
});

describe('what was executed without before-images, above a backup', () => {
  const executed = async (orders: number) => {
    const world = runnerWorld(orders, totals);
    await world.run('m-1', 'backup');
    world.database.exec(`INSERT INTO orders (id, a, b) VALUES (20, 1, 1), (21, 1, 1), (22, 1, 1)`);
    const before = world.rows();
    await world.run('m-2', 'execute', { backup: 'none' });
    return { world, before };
  };

  it('is put back from there, and each document is counted once', async () => {
    const world = runnerWorld(10, totals);
    const before = world.rows();
    await world.run('m-1', 'backup');
    await world.run('m-2', 'execute', { backup: 'none' });
    expect(await world.run('m-3', 'revert')).toMatchObject({
      work: { total: { matched: 10, changed: 10, skipped: 0, failed: 0 }, failures: [] },
      report: { restored: 10, unchanged: 0 },
    });
    expect(world.rows()).toEqual(before);
  });

  it('is forgotten once a rollout has put it back from a backup of its own', async () => {
    const world = runnerWorld(10, totals);
    const rollout = { id: 'r-1', generation: 1 };
    await world.run('r-1.0.0', 'backup', { rollout });
    await world.run('r-1.1.0', 'execute', { rollout, backup: 'none' });
    expect(await world.run('m-1', 'revert', { rollout })).toMatchObject({
      work: { total: { matched: 10, changed: 10, failed: 0 } },
    });
    const held = await kept(world);
    await world.run('m-2', 'execute', { backup: 'none' });
    expect(await kept(world)).toBeLessThan(held);
  });

  it('is listed where the backup does not have it, or what is there now', async () => {
    const { world, before } = await executed(12);
    world.database.exec('UPDATE orders SET a = 1000 WHERE id IN (3, 21)');
    const run = await world.run('m-3', 'revert');
    expect(run).toMatchObject({
      status: 'completed',
      work: { total: { matched: 15, changed: 11, skipped: 0, failed: 4 } },
      report: { verdict: 'look', restored: 11, listedLeftOut: 0 },
    });
    const codes = run.work.failures.map(({ key, code }) => [key, code]);
    expect(new Map(codes as [number, string][])).toEqual(
      new Map([
        [20, 'MIGRATION_NO_WAY_BACK'],
        [22, 'MIGRATION_NO_WAY_BACK'],
        [3, 'MIGRATION_DOCUMENT_EDITED'],
        [21, 'MIGRATION_DOCUMENT_EDITED'],
      ]),
    );
    const unlike = world.rows().filter((row, at) => row['total'] !== before[at]?.['total']);
    expect(unlike.map(({ id }) => id)).toEqual([3, 20, 21, 22]);
  });

  it('is listed once, wherever the runner dies meanwhile', async () => {
    for (const point of [
      'revert.read',
      'revert.written',
      'revert.recorded',
      'execute.saved',
    ] as const)
      for (let nth = 1; nth <= 14; nth += 1) {
        const { world, before } = await executed(6);
        await world.ask('m-3', 'revert', { batchSize: 2, minBatchSize: 1 });
        await world
          .start({ faults: crashAt(point, nth) })
          .advance('m-3')
          .catch((error: unknown) => {
            if (!(error instanceof Crash)) throw error;
          });
        await world.start().advance('m-3');
        const { work, status } = await world.state('m-3');
        expect({ point, nth, status, ...work.total }).toMatchObject({
          status: 'completed',
          matched: 9,
          failed: 3,
        });
        expect(world.rows().slice(0, 6)).toEqual(before.slice(0, 6));
        expect(world.written()).toEqual({ up: 9, back: 6 });
      }
  });
});
