import { describe, expect, it } from '@jest/globals';
import type { Migration } from '@tidegate/migration';
import { runnerWorld, totals } from '../run/runner-world.contract.ts';

/** Text becomes a number: a checksum takes both for the same. */
const numbers: Migration = {
  id: 'numbers',
  target: 'shop',
  collection: 'orders',
  pending: { total: { above: '' } },
  up: (order) => ({ ...order, total: Number(order['total']) }),
};

describe('a verify after an execute', () => {
  it('takes a document that the database refused for what it is: left behind', async () => {
    const world = runnerWorld(10, totals);
    world.database.exec(
      "CREATE TRIGGER picky BEFORE UPDATE OF total ON orders WHEN old.id = 4 BEGIN SELECT RAISE(ABORT, 'no four'); END",
    );
    const executed = await world.run('m-1', 'execute', { onError: 'skip' });
    expect(executed).toMatchObject({ status: 'completed', work: { failures: [{ key: 4 }] } });
    expect(await world.run('m-2', 'verify')).toMatchObject({
      status: 'completed',
      report: { leftOnPurpose: 1, checksums: { compared: 9, written: 9, before: 0 } },
    });
  });

  it('still knows what was left behind when another execute was cancelled before it began', async () => {
    const world = runnerWorld(10, {
      ...totals,
      up: (order) => {
        if (order['id'] === 4) throw new Error('no four');
        return totals.up(order);
      },
    });
    await world.run('m-1', 'execute', { onError: 'skip' });
    world.clock.advance(1_000);
    await world.ask('m-2', 'execute');
    await world.cancel('m-2');
    expect(await world.run('m-3', 'verify')).toMatchObject({
      status: 'completed',
      report: { leftOnPurpose: 1 },
    });
  });

  it('finds what its filter no longer takes since it was changed', async () => {
    const world = runnerWorld(10, {
      ...totals,
      filter: { note: { not: 'done' } },
      up: (order) => ({ ...totals.up(order), note: 'done' }),
    });
    await world.run('m-1', 'execute');
    expect(await world.run('m-2', 'verify')).toMatchObject({
      status: 'completed',
      report: { checksums: { compared: 10, written: 10, gone: 0 } },
    });
  });

  it('knows a value that was converted from one that is again as it was', async () => {
    const world = runnerWorld(6, numbers);
    world.database.exec("UPDATE orders SET total = '10.50'");
    await world.run('m-1', 'execute');
    expect(await world.run('m-2', 'verify')).toMatchObject({
      status: 'completed',
      report: { checksums: { written: 6, before: 0 } },
    });
    world.database.exec("UPDATE orders SET total = '10.50' WHERE id = 3");
    expect(await world.run('m-3', 'verify')).toMatchObject({
      status: 'failed',
      report: { checksums: { written: 5, before: 1 } },
    });
  });
});

it('a revert after the cutover of the migration itself says that reads are to be switched back', async () => {
  const world = runnerWorld(10, totals);
  for (const [at, action] of (['execute', 'verify', 'cutover'] as const).entries()) {
    expect(await world.run(`m-${at}`, action)).toMatchObject({ status: 'completed' });
    world.clock.advance(1_000);
  }
  await expect(world.ask('m-3', 'execute', { onFailure: 'revert' })).rejects.toThrow(
    'totals is cut over',
  );
  const switchBack = { findings: [{ code: 'switch-back', level: 'look' }] };
  expect(await world.run('m-4', 'revert')).toMatchObject({ report: switchBack });
  world.clock.advance(1_000);
  await world.run('m-5', 'execute', { onFailure: 'revert' });
  expect(await world.run('m-6', 'revert')).toMatchObject({ report: { findings: [] } });
});
