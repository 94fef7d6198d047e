import { describe, expect, it } from '@jest/globals';
import type { AnyMigration, Migration } from '@tidegate/migration';
import { concerned, type Known, refusalToStart, refusalUnderLease } from './readiness.ts';
import { initialRun, type Work } from '../run/run.ts';
import { evolveRun } from '../run/evolve-run.ts';
import { type KnownRun, type Standing, untouched } from './standing.ts';

const of = { target: 'checkout', collection: 'orders' };
const data = (id: string, more: Partial<Migration> = {}): Migration => ({
  id,
  ...of,
  pending: { total: { equals: null } },
  up: (order) => order,
  ...more,
});
const migrations: AnyMigration[] = [
  { id: 'indexes', ...of, phase: 'schema', indexes: [] },
  data('totals', { dependsOn: ['indexes'], down: (order) => order }),
  data('no-down'),
  { id: 'switch', ...of, phase: 'cutover', flag: 'f', variant: 'on', dependsOn: ['totals'] },
  data('tidy', { phase: 'cleanup', dependsOn: ['totals'] }),
];
const all: Partial<Standing> = { done: 'all', text: { hash: 'h', run: 'm-1' } };
const verified = { ...all, verified: 'h' };

const known = (standings: Record<string, Partial<Standing>>): Known => ({
  migrations: new Map(
    migrations.map((migration) => [migration.id, { migration, hash: 'h', file: '' }]),
  ),
  standings: new Map(
    Object.entries(standings).map(([id, each]) => [id, { ...untouched, ...each }]),
  ),
  others: [],
});
const work = (of: Partial<Work>): Work => {
  const data = {
    run: 'm-1',
    migration: 'totals',
    action: 'execute',
    definitionHash: 'h',
    batchSize: 5,
    sampleSize: 5,
  } as const;
  const started = evolveRun(initialRun, {
    type: 'MigrationStarted',
    data,
    metadata: { id: 'e', at: 1 },
  });
  if (started.status === 'absent') throw new Error('it has not started');
  return { ...started.work, ...of };
};
const ready = { indexes: all, totals: verified };

describe('a run', () => {
  it.each([
    ['totals', 'plan', {}, {}],
    ['totals', 'execute', { indexes: all }, {}],
    ['totals', 'execute', ready, {}],
    ['totals', 'verify', {}, {}],
    ['totals', 'revert', { totals: { done: 'partly' } }, {}],
    ['indexes', 'revert', {}, {}],
    ['totals', 'cutover', ready, {}],
    ['switch', 'plan', {}, {}],
    ['switch', 'execute', ready, {}],
    ['tidy', 'execute', { ...ready, switch: all }, {}],
    ['tidy', 'execute', { ...ready, totals: { ...all, cutOver: true } }, {}],
    ['totals', 'cleanup', { ...ready, switch: all }, {}],
    [
      'totals',
      'plan',
      { totals: { text: { hash: 'old', run: 'm-1' } } },
      { acceptChange: 'a comment' },
    ],
    ['totals', 'plan', { totals: { writing: [{ id: 'm-2', action: 'execute' }] } }, {}],
  ] as const)('may begin: %s %s, %j, %j', (migration, action, standings, options) => {
    expect(refusalToStart(known(standings), { migration, action, ...options })).toBeUndefined();
  });

  it.each([
    ['nothing', 'plan', {}, 'MIGRATION_UNKNOWN', 'the runner knows indexes, totals'],
    ['indexes', 'backup', {}, 'MIGRATION_ACTION_UNFIT', 'expected plan, execute, verify, revert'],
    ['switch', 'cleanup', {}, 'MIGRATION_ACTION_UNFIT', 'there is no cleanup of it'],
    [
      'totals',
      'verify',
      { totals: { text: { hash: 'old', run: 'm-1' } } },
      'MIGRATION_CHANGED',
      'what m-1 executed',
    ],
    ['totals', 'execute', {}, 'MIGRATION_NOT_READY', 'depends on indexes, which is not executed'],
    [
      'totals',
      'execute',
      { indexes: { done: 'partly' } },
      'MIGRATION_NOT_READY',
      'executed in part',
    ],
    ['switch', 'execute', { totals: all }, 'MIGRATION_NOT_READY', 'totals is not verified'],
    [
      'switch',
      'cutover',
      { totals: { ...all, verified: 'old' } },
      'MIGRATION_NOT_READY',
      'not verified',
    ],
    ['totals', 'cutover', { totals: { done: 'partly' } }, 'MIGRATION_NOT_READY', 'only in part'],
    [
      'tidy',
      'execute',
      ready,
      'MIGRATION_NOT_READY',
      'the cutover of totals has not been completed',
    ],
    [
      'totals',
      'cleanup',
      ready,
      'MIGRATION_NOT_READY',
      'the cutover of totals has not been completed',
    ],
    ['totals', 'cleanup', {}, 'MIGRATION_NOT_READY', 'before-images are still needed'],
    ['totals', 'revert', {}, 'MIGRATION_NOT_EXECUTED', 'nothing to undo'],
    [
      'totals',
      'revert',
      { totals: { ...all, forgottenBy: 'm-3' } },
      'MIGRATION_NOT_READY',
      'cleanup m-3',
    ],
    [
      'totals',
      'revert',
      { totals: all, switch: all },
      'MIGRATION_NOT_READY',
      'Revert switch first',
    ],
    [
      'totals',
      'execute',
      { ...ready, totals: { writing: [{ id: 'm-2', action: 'revert' }] } },
      'MIGRATION_BUSY',
      'm-2 (revert)',
    ],
  ] as const)('may not: %s %s, %j: %s', (migration, action, standings, code, why) => {
    expect(refusalToStart(known(standings), { migration, action })).toMatchObject({
      code,
      message: expect.stringContaining(why),
    });
  });

  it.each([
    [
      'no-down',
      { backup: 'none', onFailure: 'revert' },
      'MIGRATION_NOT_READY',
      'could undo nothing',
    ],
    [
      'no-down',
      { minBatchSize: 600 },
      'RUN_OPTIONS_CONTRADICT',
      'minBatchSize is more than batchSize, which is 500',
    ],
    ['no-down', { maxErrors: 5 }, 'RUN_OPTIONS_CONTRADICT', 'needs onError'],
    [
      'no-down',
      { flow: { maxLoad: 9, criticalLoad: 9 } },
      'RUN_OPTIONS_CONTRADICT',
      'flow.criticalLoad is not above maxLoad',
    ],
  ] as const)(
    'may not with options that cannot be kept: %s %j',
    (migration, options, code, why) => {
      expect(refusalToStart(known({}), { migration, action: 'execute', ...options })).toMatchObject(
        {
          code,
          message: expect.stringContaining(why),
        },
      );
    },
  );

  it.each(['execute', 'verify'] as const)(
    'may not undo by itself what an executed migration rests on: %s',
    (action) => {
      const asked = { migration: 'totals', action } as const;
      const now = known({ ...ready, switch: all });
      expect(refusalToStart(now, asked)).toBeUndefined();
      expect(refusalToStart(now, { ...asked, onFailure: 'revert' })).toMatchObject({
        code: 'MIGRATION_NOT_READY',
        message: expect.stringContaining('switch depends on totals and is executed'),
      });
    },
  );

  it.each(['execute', 'verify'] as const)(
    'is not to undo by itself what reads rest on that were cut over: %s',
    (action) => {
      const asked = { migration: 'totals', action } as const;
      const now = known({ indexes: all, totals: { ...verified, cutOver: true } });
      expect(refusalToStart(now, asked)).toBeUndefined();
      expect(refusalToStart(now, { ...asked, onFailure: 'revert' })).toMatchObject({
        code: 'MIGRATION_NOT_READY',
        message: expect.stringContaining('totals is cut over'),
      });
      expect(refusalToStart(now, { migration: 'totals', action: 'revert' })).toBeUndefined();
    },
  );

  it.each(['verify', 'revert', 'cutover', 'cleanup'] as const)(
    'is told that onError means nothing to %s',
    (action) => {
      const totals = { ...verified, cutOver: true };
      const asked = { migration: 'totals', action, onError: 'skip' } as const;
      expect(refusalToStart(known({ indexes: all, totals }), asked)).toMatchObject({
        code: 'RUN_OPTIONS_CONTRADICT',
        message: expect.stringContaining('only to plan, execute and backup'),
      });
    },
  );

  it('is asked again under its lease, where another accepted run is no reason any more', () => {
    const writing = [{ id: 'm-2', action: 'execute' as const }];
    const may = known({ indexes: all, totals: { writing } });
    expect(refusalUnderLease(may, 'm-1', work({}))).toBeUndefined();
    expect(refusalUnderLease(known({ totals: { writing } }), 'm-1', work({}))).toMatchObject({
      code: 'MIGRATION_NOT_READY',
    });
  });

  it('is asked under its lease, once it has begun, whether another one has overtaken it', () => {
    const now = known({ indexes: all, totals: verified });
    const revert = work({ action: 'revert', expected: 7, batches: 1, fence: 3 });
    const other: KnownRun = {
      id: 'm-2',
      run: { status: 'paused', work: revert, by: 'x', reason: 'x' },
    };
    const asked = (fence: number) =>
      refusalUnderLease(
        { ...now, others: [other] },
        'm-1',
        work({ expected: 7, batches: 1, fence }),
      );
    expect(asked(2)).toMatchObject({ code: 'MIGRATION_OVERTAKEN' });
    expect(asked(4)).toBeUndefined();
  });
});

it('concerns what it depends on, and what depends on that', () => {
  const { migrations: loaded } = known({});
  expect([...concerned(loaded, 'tidy')].sort()).toEqual(['switch', 'tidy', 'totals']);
  expect([...concerned(loaded, 'indexes')].sort()).toEqual(['indexes', 'totals']);
});
