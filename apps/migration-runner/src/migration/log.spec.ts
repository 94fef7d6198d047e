import { expect, it } from '@jest/globals';
import { nothingYet, type Work } from '../run/run.ts';
import { logOf } from './log.ts';
import type { KnownRun } from './standing.ts';

const work: Work = {
  migration: 'order-totals',
  action: 'execute',
  batchSize: 200,
  sampleSize: 50,
  definitionHash: 'sha256:1',
  by: 'ada',
  reason: 'new totals',
  startedAt: 1_000,
  sweep: 1,
  batches: 1,
  changedInSweep: 7,
  total: { ...nothingYet, changed: 7 },
  fence: 1,
  workedMs: 5,
  failures: [],
};
const run = (id: string, of: Partial<Work>, how: object): KnownRun =>
  ({ id, run: { work: { ...work, ...of }, ...how } }) as never;
const told = (...runs: KnownRun[]) =>
  logOf(runs).map(({ at, status, run: id, action }) => `${at} ${status} ${action} ${id}`);

it('has a line for the start and for the end of each run, oldest first', () => {
  const done = { status: 'completed', endedAt: 3_000, report: {} };
  const later = run('m-2', { action: 'revert', startedAt: 5_000 }, { ...done, endedAt: 6_000 });
  const runs = [
    later,
    run('m-1', {}, done),
    run('m-3', { startedAt: 7_000 }, { status: 'running' }),
  ];
  expect(told(...runs)).toEqual([
    '1000 STARTED execute m-1',
    '3000 COMPLETED execute m-1',
    '5000 STARTED revert m-2',
    '6000 ROLLED_BACK revert m-2',
    '7000 STARTED execute m-3',
  ]);
  expect(logOf(runs)[0]).toMatchObject({ by: 'ada', reason: 'new totals', hash: 'sha256:1' });
  expect(logOf(runs)[1]).toMatchObject({ counts: { changed: 7 }, tookMs: 2_000 });
});

it('says of a run that undid what it had done both: what failed, and that it is rolled back', () => {
  const reverting = { code: 'x', message: 'x', before: work.total };
  const failed = { status: 'failed', endedAt: 3_000, code: 'MIGRATION_NOT_VERIFIED', message: '2' };
  const reverted = { ...nothingYet, changed: 6 };
  const [, first, second] = logOf([
    run('m-1', { reverting, total: reverted }, { ...failed, reverted }),
  ]);
  expect(first).toMatchObject({
    status: 'FAILED',
    code: 'MIGRATION_NOT_VERIFIED',
    counts: { changed: 7 },
  });
  expect(second).toMatchObject({ status: 'ROLLED_BACK', counts: { changed: 6 } });
  expect(told(run('m-1', {}, failed))).toEqual([
    '1000 STARTED execute m-1',
    '3000 FAILED execute m-1',
  ]);
});

it('says who cancelled', () => {
  const cancelled = { status: 'cancelled', endedAt: 2_000, by: 'robin' };
  expect(logOf([run('m-1', {}, cancelled)])[1]).toMatchObject({ status: 'CANCELLED', by: 'robin' });
  const reverting = { code: 'x', message: 'x', before: work.total };
  const undoing = run('m-1', { reverting, total: { ...nothingYet, changed: 6 } }, cancelled);
  expect(logOf([undoing])[1]).toMatchObject({ counts: { changed: 7 } });
});
