import { describe, expect, it } from '@jest/globals';
import type { Row } from '@tidegate/migration';
import { Crash, crashAt } from '@tidegate/store/testing';
import { type KnownRun, standingOf } from '../migration/standing.ts';
import { runnerWorld, totals } from './runner-world.contract.ts';

type World = ReturnType<typeof runnerWorld>;

const rollout = { id: 'r-1', generation: 1 };
const REVERT = 'r-1.revert.2.totals';

const insert = (world: World): void =>
  world.database.exec('INSERT INTO orders (id, a, b) VALUES (30, 1, 1), (31, 1, 1), (32, 1, 1)');
const standing = async (world: World, ...runs: string[]) => {
  const known: KnownRun[] = [];
  for (const id of runs) known.push({ id, run: await world.state(id) });
  return standingOf(known);
};
/** One run by hand, and one of a rollout that finds what was written since. */
const bothExecuted = async (world: World): Promise<readonly Row[]> => {
  await world.run('m-1', 'execute');
  insert(world);
  const before = world.rows();
  world.clock.advance(1_000);
  await world.run('r-1.0.0', 'execute', { rollout, onFailure: 'revert', batchSize: 2 });
  world.clock.advance(1_000);
  return before;
};
const rolledBack = (world: World) => world.run(REVERT, 'revert', { rollout, reason: 'rollback' });

describe('the rollback of a rollout', () => {
  it('puts back what its own runs changed; what was migrated before can be put back after it', async () => {
    const world = runnerWorld(12, totals);
    const untouched = world.rows();
    const before = await bothExecuted(world);
    expect(await rolledBack(world)).toMatchObject({
      status: 'completed',
      work: { total: { matched: 3, changed: 3 } },
    });
    expect(world.rows()).toEqual(before);
    expect(await standing(world, 'm-1', 'r-1.0.0', REVERT)).toMatchObject({
      done: 'partly',
      text: { run: 'm-1' },
    });
    // What the rollout has put back is nobody's any more: a program may write the same total.
    world.database.exec('UPDATE orders SET total = 2 WHERE id = 30');
    world.clock.advance(1_000);
    expect(await world.run('m-2', 'revert')).toMatchObject({ work: { total: { changed: 12 } } });
    expect(world.rows().slice(0, 12)).toEqual(untouched);
    expect(world.rows()[12]).toMatchObject({ id: 30, total: 2 });
    expect(await standing(world, 'm-1', 'r-1.0.0', REVERT, 'm-2')).toMatchObject({
      done: 'nothing',
    });
  });

  it('leaves what somebody migrated by hand while it went on', async () => {
    const world = runnerWorld(4, totals);
    const before = world.rows();
    await world.run('r-1.0.0', 'execute', { rollout });
    insert(world);
    await world.run('m-1', 'execute');
    const executed = world.rows();
    await rolledBack(world);
    expect(world.rows()).toEqual([...before, ...executed.slice(4)]);
  });

  it('wherever the runner dies meanwhile', async () => {
    for (const point of ['revert.read', 'revert.written', 'revert.recorded'] as const) {
      const world = runnerWorld(12, totals);
      const before = await bothExecuted(world);
      await world.ask(REVERT, 'revert', { rollout });
      await expect(world.start({ faults: crashAt(point, 1) }).advance(REVERT)).rejects.toThrow(
        Crash,
      );
      await world.start().advance(REVERT);
      expect(await world.state(REVERT)).toMatchObject({ status: 'completed' });
      expect(world.rows()).toEqual(before);
      expect(world.written()).toEqual({ up: 15, back: 3 });
    }
  });

  it('finds its own backup, and nobody else’s', async () => {
    const own = runnerWorld(6, totals);
    const before = own.rows();
    await own.run('r-1.0.0', 'backup', { rollout });
    await own.run('r-1.1.0', 'execute', { rollout, backup: 'none' });
    expect(await rolledBack(own)).toMatchObject({ status: 'completed', report: { restored: 6 } });
    expect(own.rows()).toEqual(before);

    const others = runnerWorld(6, totals);
    await others.run('m-1', 'backup');
    await others.run('r-1.0.0', 'execute', { rollout, backup: 'none' });
    const executed = others.rows();
    expect(await rolledBack(others)).toMatchObject({ work: { total: { changed: 0, failed: 6 } } });
    expect(others.rows()).toEqual(executed);
  });

  it('is all there was where nobody else has executed it: it stands as if it had never been', async () => {
    const world = runnerWorld(6, totals);
    const before = world.rows();
    await world.run('r-1.0.0', 'execute', { rollout });
    await rolledBack(world);
    expect(world.rows()).toEqual(before);
    expect(await standing(world, 'r-1.0.0', REVERT)).toMatchObject({ done: 'nothing' });
  });

  it('has nothing to do where the rollout found everything done, and leaves it so', async () => {
    const world = runnerWorld(6, totals);
    await world.run('m-1', 'execute');
    world.clock.advance(1_000);
    await world.run('r-1.0.0', 'execute', { rollout });
    world.clock.advance(1_000);
    const executed = world.rows();
    await rolledBack(world);
    expect(world.rows()).toEqual(executed);
    expect(await standing(world, 'm-1', 'r-1.0.0', REVERT)).toMatchObject({ done: 'all' });
  });

  it('takes back a cutover, the documents and their schema, last first, and a schema only where it is its alone', async () => {
    const schema = {
      id: 'columns',
      phase: 'schema',
      target: 'shop',
      collection: 'orders',
      columns: [{ name: 'sum', type: 'TEXT' }],
    } as const;
    const cutover = {
      id: 'read-totals',
      phase: 'cutover',
      target: 'shop',
      collection: 'orders',
      dependsOn: ['totals'],
      flag: 'totals',
      variant: 'on',
    } as const;
    const ids = ['columns', 'totals', 'read-totals'];
    for (const others of [false, true]) {
      const world = runnerWorld(6, { ...totals, dependsOn: ['columns'] }, schema, cutover);
      const columns = () => world.database.prepare('PRAGMA table_info(orders)').all().length;
      const [before, were] = [world.rows(), columns()];
      if (others) await world.run('m-1', 'execute', { migration: 'columns' });
      for (const [at, migration] of ids.entries()) {
        const options = { migration, rollout, onFailure: 'revert' as const };
        await world.run(`r-1.${at}.0`, 'execute', options);
        if (migration === 'totals') await world.run('r-1.1.1', 'verify', { rollout });
      }
      expect(await world.state('r-1.2.0')).toMatchObject({ status: 'completed' });
      await expect(rolledBack(world)).rejects.toThrow('Revert read-totals first');
      world.clock.advance(1_000);
      for (const migration of ids.toReversed()) {
        const state = await world.run(`r-1.revert.2.${migration}`, 'revert', {
          migration,
          rollout,
        });
        expect(state).toMatchObject({ status: 'completed' });
        world.clock.advance(1_000);
      }
      expect(world.rows()).toEqual(before);
      expect(columns()).toBe(others ? were + 1 : were);
      const left = ['r-1.0.0', 'r-1.revert.2.columns', ...(others ? ['m-1'] : [])];
      expect(await standing(world, ...left)).toMatchObject({ done: others ? 'all' : 'nothing' });
    }
  });
});
