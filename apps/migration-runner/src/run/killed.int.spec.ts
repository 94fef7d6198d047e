import { describe, expect, it } from '@jest/globals';
import type { FaultPoint } from '@tidegate/store';
import { Crash, crashAt } from '@tidegate/store/testing';
import { runnerWorld, totals } from './runner-world.contract.ts';

const ORDERS = 23;
const NTH = [1, 2, 3, 5, 6];

/** The runner dies at the point, and others are started until the run has ended. */
async function killedAt(point: FaultPoint, nth: number, action: 'execute' | 'revert') {
  const world = runnerWorld(ORDERS, totals);
  const before = world.rows();
  if (action === 'revert') await world.run('m-1', 'execute');
  await world.ask('m-2', action);
  const faults = crashAt(point, nth);
  const dying = world.start({ faults }).advance('m-2');
  if (await ended(dying)) expect(faults.crashed).toBe(false); // there are fewer batches than that
  await world.start().advance('m-2');
  return { world, before, run: await world.state('m-2'), crashed: faults.crashed };
}

const ended = (dying: Promise<void>): Promise<boolean> =>
  dying.then(
    () => true,
    (error: unknown) => {
      if (!(error instanceof Crash)) throw error;
      return false;
    },
  );

const each = (points: readonly FaultPoint[]) =>
  points.flatMap((point) => NTH.map((nth) => [point, nth] as const));

describe('a runner that is killed while it executes', () => {
  it.each(
    each([
      'batch.read',
      'batch.journaled',
      'batch.written',
      'batch.recorded',
      'execute.loaded',
      'execute.saved',
      'outbox.published',
    ]),
  )('at %s, the %i. time, loses nothing and does nothing twice', async (point, nth) => {
    const { world, before, run } = await killedAt(point, nth, 'execute');
    expect(run).toMatchObject({ status: 'completed' });
    expect(run.work.total).toMatchObject({ changed: ORDERS, mismatched: 0 });
    expect(world.rows()).toEqual(before.map((row) => totals.up(row)));
    expect([world.twice(), world.written()?.['up']]).toEqual([[], ORDERS]);
    expect(await world.run('m-3', 'revert')).toMatchObject({
      status: 'completed',
      work: { total: { changed: ORDERS } },
    });
    expect(world.rows()).toEqual(before);
  });
});

describe('a runner that is killed while it reverts', () => {
  it.each(
    each(['revert.read', 'revert.written', 'revert.recorded', 'execute.loaded', 'execute.saved']),
  )('at %s, the %i. time, puts everything back, once', async (point, nth) => {
    const { world, before, run } = await killedAt(point, nth, 'revert');
    expect(run).toMatchObject({ status: 'completed' });
    const { changed, skipped } = run.work.total;
    expect(changed + skipped).toBe(ORDERS);
    expect(world.rows()).toEqual(before);
    expect([world.twice(), world.written()?.['back']]).toEqual([[], ORDERS]);
    expect(await world.run('m-4', 'execute')).toMatchObject({
      work: { total: { changed: ORDERS } },
    });
  });
});

describe('a runner that is killed before a batch is recorded, and whose run is paused then', () => {
  it('counts the batch also where a backup was made meanwhile', async () => {
    const world = runnerWorld(ORDERS, totals);
    await world.ask('m-1', 'execute');
    await ended(world.start({ faults: crashAt('batch.written', 2) }).advance('m-1'));
    await world.pause('m-1');
    world.clock.advance(100_000);
    expect(await world.run('m-2', 'backup')).toMatchObject({ status: 'completed' });
    await world.resume('m-1');
    await world.start().advance('m-1');
    const total = { changed: ORDERS, mismatched: 0 };
    expect(await world.state('m-1')).toMatchObject({ status: 'completed', work: { total } });
    expect(world.twice()).toEqual([]);
  });
});

describe('a runner that is killed before several batches are recorded', () => {
  it.each(['batch.read', 'batch.journaled', 'batch.written', 'batch.recorded'] as const)(
    'counts each of them once, also when the next one is killed at %s',
    async (point) => {
      const world = runnerWorld(ORDERS, totals);
      await world.ask('m-1', 'execute');
      await ended(world.start({ faults: crashAt('batch.written', 2) }).advance('m-1'));
      // The third batch was kept while the second one was written: its write came, too.
      world.database.exec('UPDATE orders SET total = a + b WHERE id BETWEEN 11 AND 15');
      await ended(world.start({ faults: crashAt(point, 1) }).advance('m-1'));
      expect((await world.state('m-1')).work).toMatchObject({
        batches: point === 'batch.recorded' ? 3 : 2,
      });
      await ended(world.start({ faults: crashAt('batch.written', 1) }).advance('m-1'));
      await world.start().advance('m-1');
      const total = { changed: ORDERS, mismatched: 0 };
      expect(await world.state('m-1')).toMatchObject({ status: 'completed', work: { total } });
      expect(world.twice()).toEqual([]);
    },
  );

  it('whatever the clocks of runners say', async () => {
    const world = runnerWorld(ORDERS, totals);
    await world.ask('m-1', 'execute');
    world.clock.advance(-86_400_000);
    await ended(world.start({ faults: crashAt('batch.written', 2) }).advance('m-1'));
    await world.start().advance('m-1');
    const total = { changed: ORDERS, mismatched: 0 };
    expect(await world.state('m-1')).toMatchObject({ status: 'completed', work: { total } });
  });
});
