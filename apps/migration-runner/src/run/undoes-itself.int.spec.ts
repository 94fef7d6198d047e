import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Row } from '@tidegate/migration';
import { Crash, crashAt } from '@tidegate/store/testing';
import { points, runnerWorld, totals } from './runner-world.contract.ts';

const down = (order: Row): Row => ({ ...order, total: null });

const refusing = (world: ReturnType<typeof runnerWorld>, id: number): void => {
  world.database.exec(
    `CREATE TRIGGER refuses BEFORE UPDATE OF total ON orders WHEN old.id = ${id} AND new.total IS NOT NULL
           BEGIN SELECT RAISE(ABORT, 'no'); END`,
  );
};
const agreeing = (world: ReturnType<typeof runnerWorld>): void =>
  world.database.exec('DROP TRIGGER refuses');
const insert = (world: ReturnType<typeof runnerWorld>): void =>
  world.database.exec('INSERT INTO orders (id, a, b) VALUES (30, 1, 1), (31, 1, 1), (32, 1, 1)');
/** The second batch fails; the second shift undoes. */
const failsAndUndoes = async (world: ReturnType<typeof runnerWorld>, run: string) => {
  await world.ask(run, 'execute', { onFailure: 'revert', batchSize: 2, minBatchSize: 1 });
  await world.start().advance(run);
  await world.start().advance(run);
  return world.state(run);
};

describe('an execute that fails, and undoes what it did and nothing else', () => {
  it('also where that was not all: an earlier run stays, and can be undone later', async () => {
    const world = runnerWorld(12, { ...totals, down });
    const before = world.rows();
    await world.run('m-1', 'execute');
    insert(world);
    refusing(world, 32);
    const executed = world.rows();
    expect(await failsAndUndoes(world, 'm-2')).toMatchObject({
      status: 'failed',
      code: 'MIGRATION_DOCUMENT_REFUSED',
      reverted: { matched: 3, changed: 2 },
    });
    expect(world.rows()).toEqual(executed);
    // A program learns the new form, and its orders are none of those that the run had changed and put back.
    world.database.exec('UPDATE orders SET total = 1000 WHERE id = 30');
    await world.run('m-3', 'revert');
    expect(world.rows().slice(0, 12)).toEqual(before);
    expect(world.rows()[12]).toMatchObject({ id: 30, total: 1000 });
  });

  it('wherever the runner dies meanwhile', async () => {
    for (const point of ['revert.read', 'revert.written', 'revert.recorded'] as const) {
      const world = runnerWorld(12, totals);
      await world.run('m-1', 'execute');
      insert(world);
      refusing(world, 32);
      const executed = world.rows();
      await world.ask('m-2', 'execute', { onFailure: 'revert', batchSize: 2, minBatchSize: 1 });
      await world.start().advance('m-2');
      await expect(world.start({ faults: crashAt(point, 1) }).advance('m-2')).rejects.toThrow(
        Crash,
      );
      await world.start().advance('m-2');
      expect(await world.state('m-2')).toMatchObject({ status: 'failed' });
      expect(world.rows()).toEqual(executed);
      expect(world.written()).toEqual({ up: 14, back: 2 });
    }
  });

  it('also what it had written when its runner was killed, and after that', async () => {
    const world = runnerWorld(12, totals);
    const before = world.rows();
    refusing(world, 7);
    await world.ask('m-1', 'execute', { onFailure: 'revert', batchSize: 2, minBatchSize: 1 });
    const faults = crashAt('batch.written', 2);
    await expect(world.start({ faults }).advance('m-1')).rejects.toThrow(Crash);
    for (let shift = 0; shift < 2; shift += 1) await world.start().advance('m-1');
    expect(await world.state('m-1')).toMatchObject({ reverted: { changed: 7 } });
    expect(world.rows()).toEqual(before);
  });

  it('and a backup that was made before it is still of use', async () => {
    const world = runnerWorld(12, totals);
    const before = world.rows();
    await world.run('m-1', 'backup');
    refusing(world, 4);
    expect(await failsAndUndoes(world, 'm-2')).toMatchObject({ reverted: { changed: 3 } });
    expect(world.rows()).toEqual(before);
    agreeing(world);
    await world.run('m-3', 'execute', { backup: 'none' });
    expect(await world.run('m-4', 'revert')).toMatchObject({ work: { failures: [] } });
    expect(world.rows()).toEqual(before);
  });

  it('and what it kept is forgotten where there was nothing before it', async () => {
    const world = runnerWorld(12, totals);
    refusing(world, 4);
    await failsAndUndoes(world, 'm-1');
    const journal = world.start().store.projection('migration-journal');
    const last = Number((await journal.last('totals'))?.version);
    agreeing(world);
    await world.run('m-2', 'execute');
    expect((await journal.read('totals', { limit: 1 }))[0]?.version).toBeGreaterThan(last);
  });

  it('never goes on once another run wrote while it was paused', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute', { onFailure: 'revert' });
    await expect(
      world.start({ faults: crashAt('batch.recorded', 1) }).advance('m-1'),
    ).rejects.toThrow(Crash);
    await world.pause('m-1');
    await world.run('m-2', 'execute');
    await expect(world.resume('m-1')).rejects.toThrow('MIGRATION_OVERTAKEN: m-2 (execute)');
  });

  it('nor where the other one was asked for before, and this one had only kept a batch', async () => {
    const world = runnerWorld(12, totals);
    const cutOff = async (run: string) => {
      const faults = crashAt('batch.journaled', 1);
      await expect(world.start({ faults }).advance(run)).rejects.toThrow(Crash);
      await world.pause(run);
    };
    await world.ask('m-1', 'execute');
    await cutOff('m-1');
    world.clock.advance(1_000);
    await world.ask('m-2', 'execute', { onFailure: 'revert' });
    await cutOff('m-2');
    await world.resume('m-1');
    await world.start().advance('m-1');
    expect(await world.state('m-1')).toMatchObject({ status: 'completed' });
    await expect(world.resume('m-2')).rejects.toThrow('MIGRATION_OVERTAKEN: m-1 (execute)');
  });

  it('but does after a backup that was made meanwhile, which stays', async () => {
    const world = runnerWorld(12, totals);
    const before = world.rows();
    refusing(world, 7);
    await world.ask('m-1', 'execute', { onFailure: 'revert', batchSize: 2, minBatchSize: 1 });
    await expect(
      world.start({ faults: crashAt('batch.recorded', 2) }).advance('m-1'),
    ).rejects.toThrow(Crash);
    await world.pause('m-1');
    await world.run('m-2', 'backup');
    await world.resume('m-1');
    for (let shift = 0; shift < 2; shift += 1) await world.start().advance('m-1');
    expect(await world.state('m-1')).toMatchObject({ reverted: { changed: 7 } });
    expect(world.rows()).toEqual(before);
    agreeing(world);
    await world.run('m-3', 'execute', { backup: 'none' });
    await world.run('m-4', 'revert');
    expect(world.rows().slice(4)).toEqual(before.slice(4));
  });
});

const story = fc.record({
  batchSize: fc.integer({ min: 1, max: 4 }),
  refused: fc.integer({ min: 20, max: 31 }),
  hasExecutedBefore: fc.boolean(),
  hasImages: fc.boolean(),
  crashes: fc.array(
    fc.record({
      point: fc.constantFrom(...points),
      nth: fc.integer({ min: 1, max: 4 }),
      /** Meanwhile the run is paused, and a backup is made. */
      isPaused: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
});
type Story = typeof story extends fc.Arbitrary<infer S> ? S : never;

/** Until it has ended, however often its runner dies. */
async function ended(
  world: ReturnType<typeof runnerWorld>,
  run: string,
  crashes: Story['crashes'],
): Promise<string> {
  for (let shift = 0; shift < 20; shift += 1) {
    const crash = crashes[shift];
    const faults = crash ? { faults: crashAt(crash.point, crash.nth) } : {};
    await world
      .start(faults)
      .advance(run)
      .catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
      });
    const { status } = await world.state(run);
    if (status !== 'running') return status;
    if (!crash?.isPaused) continue;
    await world.pause(run);
    await world.run(`backup-${shift}`, 'backup');
    await world.resume(run);
  }
  throw new Error(`${run} does not end`);
}

it('leaves what was before it, whatever that is and wherever runners die, and all of it can be undone', async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ batchSize, refused, hasImages, crashes, ...of }) => {
      const world = runnerWorld(9, { ...totals, down });
      const before = world.rows();
      if (of.hasExecutedBefore) await world.run('m-1', 'execute');
      for (let id = 20; id < 32; id += 1)
        world.database.exec(`INSERT INTO orders (id, a, b) VALUES (${id}, 1, 1)`);
      const now = world.rows();
      refusing(world, refused);
      const options = { batchSize, minBatchSize: 1, onFailure: 'revert' } as const;
      await world.ask('m-2', 'execute', { ...options, ...(hasImages ? {} : { backup: 'none' }) });
      expect(await ended(world, 'm-2', crashes)).toBe('failed');
      expect(world.rows()).toEqual(now);
      expect((await world.state('m-2')).work).toMatchObject({ failures: [] });
      agreeing(world);
      await world.run('m-3', 'execute');
      await world.run('m-4', 'revert');
      expect(world.rows().slice(0, 9)).toEqual(before);
      expect(world.rows().every(({ total }) => total === null)).toBe(true);
    }),
    { numRuns: process.env['NIGHTLY'] === '1' ? 1_000 : 60 },
  );
}, 600_000);
