import { describe, expect, it } from '@jest/globals';
import type { MigrationFlow } from '@tidegate/contracts';
import { manualClock } from '@tidegate/kernel/testing';
import type { Run, Work } from '../run/run.ts';
import type { RunnerCommand } from '../run/runner-command.ts';
import type { Health } from '../target/target.port.ts';
import { createPacing, type PacingDeps } from './pacing.handler.ts';

const NOON = Date.parse('2026-11-28T12:00:00Z');
const work = (flow: MigrationFlow = {}, more: Partial<Work> = {}): Work => ({
  migration: 'order-totals',
  action: 'execute',
  batchSize: 500,
  sampleSize: 50,
  definitionHash: 'sha256:77aa',
  startedAt: NOON,
  sweep: 1,
  batches: 3,
  changedInSweep: 0,
  total: { matched: 0, changed: 0, skipped: 0, mismatched: 0 },
  fence: 1,
  workedMs: 0,
  failures: [],
  flow,
  ...more,
});

/** A runner with a clock of its own: whoever waits lets time pass, and what is to happen then happens. */
function runner(begun: Work) {
  const clock = manualClock(NOON);
  const world = {
    health: { load: 1, replicationLagMs: 0, detail: [] } as Health,
    probe: undefined as string | undefined,
    held: undefined as string | undefined,
    isWanted: true,
    asked: { health: 0, probe: 0, held: 0 },
    sleeps: [] as number[],
    meanwhile: (_at: number): void => {},
  };
  const told: unknown[] = [];
  const deps: PacingDeps = {
    clock,
    record: async (_run, command) => {
      const { throttle } = (command as Extract<RunnerCommand, { type: 'ThrottleRun' }>).data;
      told.push(throttle?.because);
      const state: Run = { status: 'running', work: begun };
      return { state } as Awaited<ReturnType<PacingDeps['record']>>;
    },
    sleep: async (ms) => {
      world.sleeps.push(ms);
      clock.advance(ms);
      world.meanwhile(clock.now() - NOON);
    },
    probe: async () => {
      world.asked.probe += 1;
      return world.probe;
    },
    heldBy: async () => {
      world.asked.held += 1;
      return world.held;
    },
  };
  const target = {
    health: async () => {
      world.asked.health += 1;
      return world.health;
    },
  };
  const shift = {
    fence: 1,
    goOn: async () => world.isWanted,
    goOnToBatch: async () => world.isWanted,
    mayWrite: async () => world.isWanted,
    during: <T>(step: Promise<T>) => step,
  };
  const pacing = createPacing(deps, 'm-7', begun);
  return {
    world,
    told,
    pacing,
    mayBegin: () => pacing.mayBegin({ work: begun, target }),
    begin: (given: { target?: typeof target } = { target }) =>
      pacing.begin({ work: begun, ...given }, shift),
    passed: () => clock.now() - NOON,
    advance: (ms: number) => clock.advance(ms),
  };
}

const behind: Health = { load: 1, replicationLagMs: 12_000, detail: [] };
const rollout = { id: 'r-42', generation: 1 };

describe('a batch', () => {
  it('may begin where nothing is asked for, and nobody is asked', async () => {
    const { begin, told, world } = runner(work());
    expect(await begin()).toBe(500);
    expect([told, world.asked]).toEqual([[], { health: 0, probe: 0, held: 0 }]);
  });

  it('goes on with the size that was recorded', async () => {
    expect(await runner(work({}, { nextSize: 120 })).begin()).toBe(120);
  });

  it('waits for replicas, is told why once, and goes on when they have caught up', async () => {
    const { begin, told, world, passed } = runner(work({ maxLagMs: 5_000 }));
    world.health = behind;
    world.meanwhile = (ms) => {
      if (ms >= 7_000) world.health = { ...behind, replicationLagMs: 10 };
    };
    expect(await begin()).toBe(500);
    expect(told).toEqual(['replication-lag', undefined]);
    expect(passed()).toBeLessThan(9_000);
  });

  it('asks no more than once a second, however often it is asked', async () => {
    const { mayBegin, world, advance } = runner(
      work({ maxLoad: 5, probe: 'http://probe/' }, { rollout }),
    );
    for (let times = 0; times < 100; times += 1) {
      expect(await mayBegin()).toEqual({ go: true, size: 500 });
      advance(10);
    }
    expect(world.asked).toEqual({ health: 1, probe: 1, held: 1 });
  });

  it('is not begun by a run that is paused while it waits, which is seen within a second', async () => {
    const { begin, world, passed } = runner(work({ maxLagMs: 5_000 }));
    world.health = behind;
    world.meanwhile = (ms) => {
      if (ms >= 3_000) world.isWanted = false;
    };
    expect(await begin()).toBeUndefined();
    expect(passed()).toBeLessThan(4_000);
    expect(Math.max(...world.sleeps)).toBeLessThanOrEqual(1_000);
  });

  it('gives its place to others after a minute of waiting', async () => {
    const { begin, world, passed } = runner(work({ maxLagMs: 5_000 }));
    world.health = behind;
    expect(await begin()).toBeUndefined();
    expect(passed()).toBeGreaterThanOrEqual(60_000);
    expect(passed()).toBeLessThan(62_000);
  });

  it('waits elsewhere from the start for what is known without the target', async () => {
    const night = { from: '22:00', to: '06:00', timeZone: 'UTC' };
    const { begin, told, world } = runner(work({ window: night, probe: 'http://probe/' }));
    expect(await begin({})).toBeUndefined();
    expect([told, world.sleeps, world.asked.probe]).toEqual([['window'], [], 0]);
  });

  it('does not wait for its window when a run that failed takes back what it did', async () => {
    const window = { from: '22:00', to: '06:00', timeZone: 'UTC' };
    const before = { matched: 5, changed: 5, skipped: 0, mismatched: 0 };
    const reverting = { code: 'MIGRATION_NOT_VERIFIED', message: 'x', before };
    expect(await runner(work({ window }, { reverting })).begin()).toBe(500);
    expect(await runner(work({ window }, { action: 'revert' })).mayBegin()).toMatchObject({
      because: 'window',
    });
  });

  it('says that nothing is in the way only when all is known', async () => {
    const throttled = { because: 'replication-lag', message: '', since: NOON };
    const { begin, told, world } = runner(work({ maxLagMs: 5_000 }, { throttled }));
    world.health = behind;
    expect(await begin({})).toBe(500);
    expect(told).toEqual([]);
    world.health = { ...behind, replicationLagMs: 0 };
    expect(await begin()).toBe(500);
    expect(told).toEqual([undefined]);
  });

  it('rests between batches as long as it was asked to', async () => {
    const begun = work({ niceRatio: 2 });
    const { begin, pacing, passed } = runner(begun);
    pacing.ended(begun, { documents: 500, tookMs: 930 });
    expect(await begin()).toBe(500);
    expect(passed()).toBe(1_860);
  });

  it('is smaller after one that took too long', async () => {
    const begun = work({ targetBatchMs: 100 }, { minBatchSize: 20 });
    const { begin, pacing } = runner(begun);
    expect(pacing.ended(begun, { documents: 500, tookMs: 1_000 })).toBe(46);
    expect(await begin()).toBe(46);
  });

  it.each([
    [{}, 25],
    [{ batchSize: 10 }, 10],
    [{ minBatchSize: 1 }, 1],
  ])('has at least 25 documents, or as many as it is allowed to: %j', (sizes, least) => {
    const begun = work({ targetBatchMs: 100 }, sizes);
    const { pacing } = runner(begun);
    expect(pacing.ended(begun, { documents: begun.batchSize, tookMs: 600_000 })).toBe(least);
  });

  it('waits while its rollout is held, but not one that takes back what was done', async () => {
    const held = runner(work({}, { rollout }));
    held.world.held = 'Rollout r-42 is held: error-rate has seen no requests.';
    expect(await held.mayBegin()).toMatchObject({ go: false, because: 'guard' });
    const revert = runner(work({}, { rollout, action: 'revert' }));
    revert.world.held = held.world.held;
    expect(await revert.mayBegin()).toEqual({ go: true, size: 500 });
  });

  it('waits for its probe', async () => {
    const { mayBegin, world } = runner(work({ probe: 'http://probe/' }));
    world.probe = 'probe answered 503.';
    expect(await mayBegin()).toMatchObject({ because: 'probe', message: 'probe answered 503.' });
  });
});

describe('critical load', () => {
  const busy: Health = { load: 100, detail: [] };

  it('fails the run when it is still there a second later', async () => {
    const { begin, world, told } = runner(work({ criticalLoad: 50 }));
    world.health = busy;
    await expect(begin()).rejects.toMatchObject({
      code: 'MIGRATION_LOAD_CRITICAL',
      message: "The server's load is 100; above 50 the run is to fail.",
    });
    expect(told).toEqual(['server-load']);
    expect(world.asked.health).toBe(2);
  });

  it('is a wait when it passes', async () => {
    const { begin, world } = runner(work({ criticalLoad: 50 }));
    world.health = busy;
    world.meanwhile = () => {
      world.health = { load: 1, detail: [] };
    };
    expect(await begin()).toBe(500);
  });

  it('does not stop what takes back: it waits', async () => {
    const { begin, world } = runner(work({ criticalLoad: 50 }, { action: 'revert' }));
    world.health = busy;
    world.meanwhile = (ms) => {
      if (ms > 20_000) world.health = { load: 1, detail: [] };
    };
    expect(await begin()).toBe(500);
  });
});

it('a limit on what the server does not tell is refused before the first write, and waited for later', async () => {
  const untold: Health = { detail: ['one file'] };
  const fresh = runner(work({ maxLagMs: 5_000 }, { batches: 0 }));
  fresh.world.health = untold;
  await expect(fresh.begin()).rejects.toMatchObject({
    code: 'MIGRATION_TARGET_UNSUPPORTED',
    message: expect.stringContaining('flow.maxLagMs cannot be kept'),
  });
  const later = runner(work({ maxLagMs: 5_000 }));
  later.world.health = untold;
  expect(await later.mayBegin()).toMatchObject({ because: 'replication-lag' });
});
