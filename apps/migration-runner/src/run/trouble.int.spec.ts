import { describe, expect, it } from '@jest/globals';
import { AppError } from '@tidegate/kernel';
import type { Migration, Row } from '@tidegate/migration';
import type { Faults } from '@tidegate/store';
import { Crash, crashAt } from '@tidegate/store/testing';
import type { Target } from '../target/target.port.ts';
import { runnerWorld, type Wrap, totals } from './runner-world.contract.ts';
import { LEASE_MS } from './shift.handler.ts';

const down = (order: Row): Row => ({ ...order, total: null });
const picky: Migration = {
  ...totals,
  up: (order) => {
    if (Number(order['id']) % 4 === 0) throw new Error('no');
    return totals.up(order);
  },
};

/** Does something once, at the nth write, before or after it. */
const atWrite =
  (nth: number, { before, after }: { before?: () => void; after?: () => void }): Wrap =>
  (target) => {
    let writes = 0;
    return {
      ...target,
      write: async (selection, edits) => {
        writes += 1;
        if (writes === nth) before?.();
        const results = await target.write(selection, edits);
        if (writes === nth) after?.();
        return results;
      },
    } satisfies Target;
  };
const fails = (retryable: boolean) => () => {
  throw new AppError(
    retryable ? 'MIGRATION_TARGET_UNREACHABLE' : 'MIGRATION_TARGET_FAILED',
    'The connection was cut.',
    { retryable },
  );
};

describe('a batch under way', () => {
  it('is counted when the connection was cut after it was written', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute');
    const cut = world.start({ wrap: atWrite(2, { after: fails(true) }) });
    await cut.advance('m-1');
    expect(cut.waits.at(-1)).toMatchObject({ reason: 'MIGRATION_TARGET_UNREACHABLE' });
    await world.start().advance('m-1');
    expect(await world.state('m-1')).toMatchObject({
      status: 'completed',
      work: { total: { changed: 12, mismatched: 0 } },
    });
    expect(world.twice()).toEqual([]);
  });

  it('is counted also when the batch before it met edits, and was kept again after this one', async () => {
    const world = runnerWorld(20, totals);
    await world.ask('m-1', 'execute');
    // The second batch is written once the third is kept, and then meets an edit.
    let kept = 0;
    let isThirdKept = (): void => {};
    const third = new Promise<void>((resolve) => {
      isThirdKept = resolve;
    });
    const faults: Faults = {
      at: (point) => {
        if (point === 'batch.journaled' && (kept += 1) === 3) isThirdKept();
      },
    };
    let writes = 0;
    const wrap: Wrap = (target) => ({
      ...target,
      write: async (selection, edits) => {
        writes += 1;
        if (writes === 2) {
          await third;
          world.database.exec('UPDATE orders SET a = 50 WHERE id = 7');
        }
        const results = await target.write(selection, edits);
        // The second batch takes two writes.
        if (writes === 4) fails(true)();
        return results;
      },
    });
    await world.start({ faults, wrap }).advance('m-1');
    expect((await world.state('m-1')).work.batches).toBe(2);
    await world.start().advance('m-1');
    expect(await world.state('m-1')).toMatchObject({
      status: 'completed',
      work: { total: { changed: 20, mismatched: 0 } },
    });
    expect(world.twice()).toEqual([]);
  });

  it('is counted when the run fails in it for good', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute');
    await world.start({ wrap: atWrite(2, { after: fails(false) }) }).advance('m-1');
    expect(await world.state('m-1')).toMatchObject({
      status: 'failed',
      code: 'MIGRATION_TARGET_FAILED',
      work: { total: { changed: 10 } },
    });
  });

  it.each([
    ['batch.journaled', 1, 0],
    ['batch.written', 1, 5],
    ['batch.journaled', 2, 5],
  ] as const)(
    'is counted by the run that wrote it, if another one went on (%s, %i)',
    async (point, nth, own) => {
      const world = runnerWorld(12, totals);
      await world.ask('m-1', 'execute');
      const faults = crashAt(point, nth);
      await expect(world.start({ faults }).advance('m-1')).rejects.toThrow(Crash);
      await world.pause('m-1');
      await world.run('m-2', 'backup');
      expect(await world.run('m-3', 'execute')).toMatchObject({
        work: { total: { changed: 12 - own } },
      });
      await world.resume('m-1');
      await world.start().advance('m-1');
      expect(await world.state('m-1')).toMatchObject({
        status: 'completed',
        work: { total: { changed: own, mismatched: 0 } },
      });
    },
  );

  it('is recorded when its run was paused or cancelled meanwhile, and nothing follows it', async () => {
    for (const what of ['pause', 'cancel'] as const) {
      const world = runnerWorld(12, totals);
      await world.ask('m-1', 'execute');
      let told: Promise<void> | undefined;
      const after = () => {
        told = world[what]('m-1');
      };
      await world.start({ wrap: atWrite(1, { after }) }).advance('m-1');
      await told;
      const { status, work } = await world.state('m-1');
      expect([status, work.total.changed]).toEqual([what === 'pause' ? 'paused' : 'cancelled', 5]);
      expect(world.written()?.['up']).toBe(5);
    }
  });

  it('is transformed again where somebody edited what it reads, and both ways back work', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute');
    const before = () => world.database.exec('UPDATE orders SET a = 50 WHERE id IN (2, 3)');
    await world.start({ wrap: atWrite(1, { before }) }).advance('m-1');
    expect(await world.state('m-1')).toMatchObject({ work: { total: { changed: 12 } } });
    expect(world.rows()[1]).toMatchObject({ a: 50, total: 52 });
    const reverted = await world.run('m-2', 'revert');
    expect(reverted).toMatchObject({ status: 'completed', work: { failures: [] } });
    expect(world.rows()[1]).toMatchObject({ a: 50, total: null });
    expect(world.written()?.['back']).toBe(12);
  });

  it('is left alone where somebody completed or deleted a document', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute');
    const before = () =>
      world.database.exec(
        'UPDATE orders SET total = 7 WHERE id = 2; DELETE FROM orders WHERE id = 3',
      );
    await world.start({ wrap: atWrite(1, { before }) }).advance('m-1');
    expect(await world.state('m-1')).toMatchObject({
      status: 'completed',
      work: { total: { matched: 12, changed: 10, mismatched: 2 } },
    });
    expect(world.rows()[1]).toMatchObject({ total: 7 });
  });

  it('is not begun when the lease has less left than a write may take, and somebody else has it', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute');
    const other = world.start();
    // The process stood still between preparing the batch and writing it.
    const faults: Faults = {
      at: async (point) => {
        if (point !== 'batch.journaled') return;
        world.clock.advance(LEASE_MS + 1);
        await other.store.leases.claim('migration/totals', 'other', LEASE_MS);
      },
    };
    await world.start({ faults }).advance('m-1');
    expect(world.written()?.['up']).toBe(null);
  });

  it.each([1, -1])(
    'is left when the clock jumps by a day (%i), and done in the next shift',
    async (day) => {
      const world = runnerWorld(12, totals);
      await world.ask('m-1', 'execute');
      let jumps = 0;
      const faults: Faults = {
        at: (point) => {
          if (point !== 'batch.journaled') return;
          jumps += 1;
          if (jumps === 1) world.clock.advance(day * 86_400_000);
        },
      };
      const runner = world.start({ faults });
      await runner.advance('m-1');
      await runner.advance('m-1');
      expect(await world.state('m-1')).toMatchObject({
        status: 'completed',
        work: { total: { changed: 12, mismatched: 0 } },
      });
      expect(world.twice()).toEqual([]);
    },
  );

  it('keeps whoever would take the run over waiting until its lease has run out', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute');
    const other = world.start();
    let seen: Promise<void> | undefined;
    const before = () => {
      seen = other.advance('m-1');
    };
    await world.start({ wrap: atWrite(1, { before }) }).advance('m-1');
    await seen;
    expect(other.waits.at(0)).toMatchObject({ reason: 'lease-held' });
    expect(await world.state('m-1')).toMatchObject({ work: { total: { changed: 12 } } });
  });

  it('of a runner that was taken over writes nothing that is not right, and is not counted twice', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute');
    const other = world.start();
    let taken: Promise<void> | undefined;
    // Its write arrives although its lease ran out long ago, and another runner has done all the work.
    const wrap: Wrap = (target) => ({
      ...target,
      write: async (selection, edits) => {
        world.clock.advance(LEASE_MS + 1);
        await (taken ??= other.advance('m-1'));
        return target.write(selection, edits);
      },
    });
    await world.start({ wrap }).advance('m-1');
    expect(await world.state('m-1')).toMatchObject({
      status: 'completed',
      work: { total: { changed: 12 } },
    });
    expect(world.twice()).toEqual([]);
    await world.run('m-2', 'revert');
    expect(world.written()).toEqual({ up: 12, back: 12 });
  });
});

describe('a store that is away', () => {
  it('keeps documents from being changed, as there would be no way back', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute');
    const faults: Faults = {
      at: (point) => {
        if (point === 'batch.read') world.disk.away = true;
      },
    };
    const cut = world.start({ faults });
    await cut.advance('m-1');
    expect(cut.waits.at(-1)).toMatchObject({ reason: 'STORE_UNREACHABLE' });
    expect(world.written()?.['up']).toBe(null);
    world.disk.away = false;
    world.clock.advance(LEASE_MS);
    await world.start().advance('m-1');
    expect(await world.state('m-1')).toMatchObject({ work: { total: { changed: 12 } } });
  });

  it('after a batch was written, loses no count of it', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute');
    const after = () => {
      world.disk.away = true;
    };
    const cut = world.start({ wrap: atWrite(2, { after }) });
    await cut.advance('m-1');
    expect(cut.waits.at(-1)).toMatchObject({ reason: 'STORE_UNREACHABLE' });
    world.disk.away = false;
    world.clock.advance(LEASE_MS);
    await world.start().advance('m-1');
    expect(await world.state('m-1')).toMatchObject({ work: { total: { changed: 12 } } });
    expect(world.twice()).toEqual([]);
  });
});

describe('a full journal', () => {
  it('keeps the run waiting, says why, and lets it go on when there is room', async () => {
    const world = runnerWorld(30, totals);
    await world.ask('m-1', 'execute');
    await world.start({ maxBytes: 2_500 }).advance('m-1');
    const { status, work } = await world.state('m-1');
    expect(status).toBe('running');
    expect(work.throttled).toMatchObject({ because: 'backup-full' });
    expect(work.total.changed).toBeGreaterThan(0);
    expect(world.written()?.['up']).toBe(work.total.changed);
    await world.start({ maxBytes: 2_500 }).advance('m-1');
    expect((await world.state('m-1')).work.total).toEqual(work.total);
    await world.start().advance('m-1');
    const last = await world.state('m-1');
    expect(last).toMatchObject({ status: 'completed', work: { total: { changed: 30 } } });
    expect(last.work.throttled).toBeUndefined();
  });
});

describe('a run that rests between batches', () => {
  it('keeps each document once, however long it rests', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute', { flow: { niceRatio: 2, targetBatchMs: 10_000 } });
    const wrap: Wrap = (target) => ({
      ...target,
      write: (...given) => {
        world.clock.advance(9_300);
        return target.write(...given);
      },
    });
    const runner = world.start({ wrap });
    await runner.advance('m-1');
    expect(await world.state('m-1')).toMatchObject({ status: 'completed' });
    const kept = await runner.store
      .projection<{ edits: unknown[] }>('migration-journal')
      .read('totals', { limit: 100 });
    expect(kept.flatMap(({ record }) => record.edits)).toHaveLength(12);
  });
});

describe('documents that up fails on', () => {
  it('stop the run before their batch is written', async () => {
    const world = runnerWorld(12, picky);
    const run = await world.run('m-1', 'execute', { batchSize: 3 });
    expect(run).toMatchObject({ status: 'failed', code: 'MIGRATION_UP_FAILED' });
    expect(run.work.total.changed).toBe(3);
  });

  it.each(['skip', 'quarantine'] as const)('are left and listed: %s', async (onError) => {
    const world = runnerWorld(22, picky);
    const run = await world.run('m-1', 'execute', { onError });
    expect(run).toMatchObject({
      status: 'completed',
      work: { total: { matched: 22, changed: 17, failed: 5, mismatched: 0 } },
    });
    expect(run.work.failures.map(({ key }) => key)).toEqual([4, 8, 12, 16, 20]);
    expect(run.work.failures[0]).toMatchObject({ code: 'MIGRATION_UP_FAILED' });
    const kept = await world
      .start()
      .store.projection<{ document?: string }>('migration-quarantine')
      .read('totals', { limit: 100 });
    expect(kept.filter(({ record }) => record.document)).toHaveLength(
      onError === 'quarantine' ? 5 : 0,
    );
  });

  it('fail the run when there are more than may be', async () => {
    const world = runnerWorld(22, picky);
    const run = await world.run('m-1', 'execute', { onError: 'skip', maxErrors: 2 });
    expect(run).toMatchObject({ status: 'failed', code: 'MIGRATION_TOO_MANY_ERRORS' });
    expect(run.work.failures).toHaveLength(2);
  });

  it('are treated alike when it is the database that refuses them', async () => {
    const unique: Migration = { ...totals, up: (order) => ({ ...order, total: 7 }) };
    const world = runnerWorld(12, unique);
    world.database.exec('CREATE UNIQUE INDEX one ON orders (total) WHERE id > 9');
    const run = await world.run('m-1', 'execute', { onError: 'skip' });
    expect(run).toMatchObject({ status: 'completed', work: { total: { changed: 10, failed: 2 } } });
    expect(run.work.failures).toMatchObject([
      { key: 11, code: 'MIGRATION_DOCUMENT_REFUSED' },
      { key: 12, code: 'MIGRATION_DOCUMENT_REFUSED' },
    ]);
  });
});

describe('documents that are large', () => {
  it('are taken in smaller batches, whatever size was asked for', async () => {
    const world = runnerWorld(24, totals);
    world.database.exec('UPDATE orders SET note = hex(zeroblob(500000))');
    const run = await world.run('m-1', 'execute', { batchSize: 10_000 });
    expect(run).toMatchObject({ status: 'completed', work: { total: { changed: 24 } } });
    expect(run.work.batches).toBeGreaterThan(1);
    await world.run('m-2', 'revert');
    expect(world.written()).toEqual({ up: 24, back: 24 });
  });
});

describe('writers that go on writing the old form', () => {
  it('do not end a run as if it could not be finished', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute');
    let inserted = 0;
    const wrap: Wrap = (target) => ({
      ...target,
      count: async (selection) => {
        // Below the checkpoint, after all keys were read.
        if (inserted < 4 && world.written()?.['up']) {
          inserted += 1;
          world.database.exec(`INSERT INTO orders (id, a, b) VALUES (${-inserted}, 1, 1)`);
        }
        return target.count(selection);
      },
    });
    await world.start({ wrap }).advance('m-1');
    expect(await world.state('m-1')).toMatchObject({ status: 'completed' });
    expect(world.rows().every((row) => row['total'] !== null)).toBe(true);
  });
});

describe('documents that something turns back as soon as they are changed', () => {
  it('end the run, which says how many there are and names one', async () => {
    const world = runnerWorld(12, totals);
    world.database.exec(
      `CREATE TRIGGER turns AFTER UPDATE OF total ON orders WHEN new.id IN (3, 5) AND new.total IS NOT NULL BEGIN
         UPDATE orders SET total = NULL WHERE id = new.id; END`,
    );
    const run = await world.run('m-1', 'execute');
    expect(run).toMatchObject({ status: 'failed', code: 'MIGRATION_TURNED_BACK' });
    expect(run).toMatchObject({
      message: expect.stringMatching(/^2 documents are left after 5 sweeps .* such as orders 3:/),
      report: { pending: 2, changed: 20 },
    });
  });

  it('do not end it while programs insert old documents for many sweeps, and then no more', async () => {
    const world = runnerWorld(12, totals);
    await world.ask('m-1', 'execute');
    let id = 100;
    const wrap: Wrap = (target) => ({
      ...target,
      count: async (selection) => {
        if (world.written()?.['up'] && id < 160) {
          id += 3;
          world.database.exec(`INSERT INTO orders (id, a, b) VALUES (${id}, 1, 1), (${-id}, 1, 1)`);
        }
        return target.count(selection);
      },
    });
    await world.start({ wrap }).advance('m-1');
    const run = await world.state('m-1');
    expect(run).toMatchObject({ status: 'completed', work: { total: { changed: 52 } } });
    expect(run.work.sweep).toBeGreaterThan(10);
  });
});

describe('a migration that is undone', () => {
  it('keeps what others changed since, and lists what cannot be put back, and why', async () => {
    const world = runnerWorld(12, totals);
    await world.run('m-1', 'execute');
    world.database.exec(`
      UPDATE orders SET note = 'mine' WHERE id = 1;
      UPDATE orders SET a = 90 WHERE id = 2;
      DELETE FROM orders WHERE id = 3;
      UPDATE orders SET total = NULL, a = 5 WHERE id = 4;
    `);
    const run = await world.run('m-2', 'revert');
    expect(run).toMatchObject({
      status: 'completed',
      work: { total: { matched: 12, changed: 9, skipped: 1, mismatched: 1, failed: 1 } },
    });
    expect(run.work.failures).toMatchObject([
      { key: 2, code: 'MIGRATION_DOCUMENT_EDITED' },
      { key: 3, code: 'MIGRATION_DOCUMENT_GONE' },
    ]);
    expect(world.rows().slice(0, 3)).toMatchObject([
      { id: 1, note: 'mine', total: null },
      { id: 2, a: 90, total: 4 },
      { id: 4, a: 5, total: null },
    ]);
  });

  it('also where the database itself notes in each document when it was written', async () => {
    const { reads: _everything, ...whole } = totals;
    const world = runnerWorld(12, whole);
    world.database.exec(
      `CREATE TRIGGER touch AFTER UPDATE OF total ON orders BEGIN
         UPDATE orders SET note = 'touched' WHERE id = new.id; END`,
    );
    await world.run('m-1', 'execute');
    const run = await world.run('m-2', 'revert');
    expect(run.work).toMatchObject({ total: { changed: 12 }, failures: [] });
    expect(world.rows().every(({ total, note }) => total === null && note === 'touched')).toBe(
      true,
    );
  });

  it('by down where there is no image, and where a document was edited since', async () => {
    const world = runnerWorld(12, { ...totals, down });
    await world.run('m-1', 'execute', { backup: 'none' });
    world.database.exec('UPDATE orders SET a = 90 WHERE id = 2');
    const run = await world.run('m-2', 'revert');
    expect(run.work.total).toMatchObject({ changed: 12, failed: 0 });
    expect(world.rows()[1]).toMatchObject({ a: 90, total: null });
  });

  it('from an earlier backup, when it was executed without images of its own', async () => {
    const world = runnerWorld(12, totals);
    const before = world.rows();
    expect(await world.run('m-1', 'backup')).toMatchObject({ status: 'completed' });
    expect(world.rows()).toEqual(before);
    await world.run('m-2', 'execute', { backup: 'none' });
    expect(await world.run('m-3', 'revert')).toMatchObject({ work: { failures: [] } });
    expect(world.rows()).toEqual(before);
  });

  it('lists every document that has no way back', async () => {
    const world = runnerWorld(12, totals);
    await world.run('m-1', 'execute', { backup: 'none' });
    const run = await world.run('m-2', 'revert');
    expect(run.work.total).toMatchObject({ changed: 0, failed: 12 });
    expect(run.work.failures[0]).toMatchObject({ code: 'MIGRATION_NO_WAY_BACK' });
  });

  it('by itself when it fails and was asked to', async () => {
    const world = runnerWorld(12, {
      ...totals,
      up: (order) => {
        if (order['id'] === 11) throw new Error('no');
        return totals.up(order);
      },
    });
    const before = world.rows();
    await world.ask('m-1', 'execute', { onFailure: 'revert' });
    await world.start().advance('m-1');
    expect(await world.state('m-1')).toMatchObject({
      status: 'running',
      work: { reverting: { code: 'MIGRATION_UP_FAILED' } },
    });
    await world.start().advance('m-1');
    expect(await world.state('m-1')).toMatchObject({
      status: 'failed',
      code: 'MIGRATION_UP_FAILED',
      reverted: { changed: 10 },
    });
    expect(world.rows()).toEqual(before);
  });

  it('whole, also what was executed while an older revert was paused, which cannot go on then', async () => {
    const world = runnerWorld(12, { ...totals, down });
    const before = world.rows();
    await world.run('m-1', 'execute');
    await world.ask('m-2', 'revert');
    let told: Promise<void> | undefined;
    const after = () => {
      told = world.pause('m-2');
    };
    await world.start({ wrap: atWrite(1, { after }) }).advance('m-2');
    await told;
    expect(world.written()?.['back']).toBe(2);
    await world.run('m-3', 'execute');
    await expect(world.resume('m-2')).rejects.toThrow('MIGRATION_OVERTAKEN: m-3 (execute)');
    expect(await world.state('m-2')).toMatchObject({ status: 'paused' });
    await world.cancel('m-2');
    await world.run('m-4', 'revert');
    expect(world.rows()).toEqual(before);
  });

  it('whole by one of two runs that are resumed at the same time: the other one does not go on', async () => {
    const world = runnerWorld(12, totals);
    const before = world.rows();
    await world.ask('m-1', 'execute');
    const cut = world.start({ wrap: atWrite(2, { before: fails(true) }) });
    await cut.advance('m-1');
    await world.pause('m-1');
    await world.ask('m-2', 'revert');
    await world.pause('m-2');
    await Promise.all([world.resume('m-1'), world.resume('m-2')]);
    await world.start().advance('m-2');
    expect(await world.state('m-2')).toMatchObject({ status: 'completed' });
    expect(await world.state('m-1')).toMatchObject({ status: 'running' });
    await world.start().advance('m-1');
    expect(await world.state('m-1')).toMatchObject({
      status: 'failed',
      code: 'MIGRATION_OVERTAKEN',
      message: expect.stringContaining('m-2 (revert)'),
    });
    expect(world.rows()).toEqual(before);
    await expect(world.ask('m-3', 'revert')).rejects.toThrow('MIGRATION_NOT_EXECUTED');
  });

  it('never after its way back was given up', async () => {
    const world = runnerWorld(12, totals);
    await world.run('m-1', 'execute');
    const journal = world.start().store.projection('migration-journal');
    expect(await journal.last('totals')).toBeDefined();
    await world.run('m-2', 'verify');
    await world.run('m-3', 'cutover');
    await world.run('m-4', 'cleanup');
    expect(await journal.last('totals')).toBeUndefined();
    await expect(world.ask('m-5', 'revert')).rejects.toThrow('cleanup');
  });
});

describe('a database that says much about each document it refuses', () => {
  const talks = (world: ReturnType<typeof runnerWorld>, when: string): void => {
    const text = 'x'.repeat(400_000);
    world.database.exec(
      `CREATE TRIGGER talks BEFORE UPDATE OF total ON orders WHEN ${when} BEGIN SELECT RAISE(ABORT, '${text}'); END`,
    );
  };

  it('does not keep a run from recording what it wrote, nor from listing the others shortly', async () => {
    const world = runnerWorld(12, totals);
    talks(world, 'old.id % 3 = 0');
    const run = await world.run('m-1', 'execute', { onError: 'skip', batchSize: 12 });
    expect(run).toMatchObject({ status: 'completed', work: { total: { changed: 8, failed: 4 } } });
    expect(run.work.failures.map(({ message }) => message.length <= 500)).toEqual(
      Array(4).fill(true),
    );
  });

  it('does not keep a revert from its end', async () => {
    const world = runnerWorld(12, totals);
    await world.run('m-1', 'execute', { batchSize: 12 });
    talks(world, 'new.total IS NULL AND old.id % 3 = 0');
    const run = await world.run('m-2', 'revert', { batchSize: 12 });
    expect(run).toMatchObject({ status: 'completed', work: { total: { changed: 8, failed: 4 } } });
  });
});

describe('documents that differ in very many paths', () => {
  const wide: Migration = {
    id: 'wide',
    target: 'shop',
    collection: 'wide',
    pending: { v: { equals: 1 } },
    up: (row) => ({
      ...row,
      v: 2,
      data: Object.fromEntries(
        Object.entries(row['data'] as Record<string, number>).map(([name, each]) => [
          name,
          each + 1,
        ]),
      ),
    }),
  };

  it('are kept in as many records as they need, and are put back from all of them', async () => {
    const rows = 2_400;
    const world = runnerWorld(1, wide);
    world.database.exec('CREATE TABLE wide (id INTEGER PRIMARY KEY, v, data JSON); BEGIN');
    const insert = world.database.prepare('INSERT INTO wide VALUES (?, 1, ?)');
    const names = Array.from({ length: 40 }, (_, at) => `${at}-${'of a wallet'.repeat(12)}`);
    for (let id = 1; id <= rows; id += 1)
      insert.run(id, JSON.stringify(Object.fromEntries(names.map((name) => [`${id}-${name}`, 0]))));
    world.database.exec('COMMIT');
    const text = () => JSON.stringify(world.database.prepare('SELECT * FROM wide').all());
    const before = text();
    expect(await world.run('m-1', 'execute', { batchSize: rows })).toMatchObject({
      status: 'completed',
      work: { total: { changed: rows } },
    });
    expect(text()).not.toBe(before);
    expect(await world.run('m-2', 'revert', {})).toMatchObject({
      status: 'completed',
      work: { total: { changed: rows, failed: 0 } },
    });
    expect(text()).toBe(before);
  }, 60_000);
});
