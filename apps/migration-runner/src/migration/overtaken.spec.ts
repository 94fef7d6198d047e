import { expect, it } from '@jest/globals';
import { nothingYet, type Work } from '../run/run.ts';
import { overtakenBy } from './overtaken.ts';
import type { KnownRun } from './standing.ts';

const work = (of: Partial<Work>): Work => ({
  migration: 'order-totals',
  action: 'execute',
  batchSize: 200,
  sampleSize: 50,
  definitionHash: 'one',
  startedAt: 10,
  sweep: 1,
  batches: 1,
  changedInSweep: 0,
  total: nothingYet,
  fence: 5,
  workedMs: 0,
  failures: [],
  ...of,
});
const other = (of: Partial<Work>): KnownRun => ({
  id: 'm-9',
  run: { status: 'completed', work: work(of), endedAt: 99, report: {} },
});
const revert = { action: 'revert' } as const;
const reverting = { code: 'x', message: 'x', before: nothingYet };

it.each([
  ['a revert by an execute', revert, { fence: 6 }],
  ['a revert by another one', revert, { ...revert, fence: 6 }],
  ['an execute by a revert', {}, { ...revert, fence: 6 }],
  ['an execute by a verify that reverted', {}, { action: 'verify', reverting, fence: 6 }],
  ['what undoes by itself by an execute', { reverting }, { fence: 6 }],
  ['what may have to undo itself by an execute', { onFailure: 'revert' }, { fence: 6 }],
  [
    'a revert that has only begun by a later execute',
    { ...revert, fence: 0, batches: 0, expected: 7 },
    { startedAt: 11 },
  ],
  ['a revert by an execute that was cut off', revert, { startedAt: 11, fence: 0, expected: 7 }],
] as const)('is overtaken: %s', (_what, mine, theirs) => {
  expect(overtakenBy(work(mine), [other(theirs)])?.id).toBe('m-9');
});

it.each([
  ['a revert by the execute that it undoes', revert, { fence: 4 }],
  // A batch that was under way when a run was paused is recorded after the revert was accepted.
  ['a revert by a run that was paused for it', revert, { fence: 4, startedAt: 11 }],
  ['an execute by another one: it goes on with what is pending', {}, { fence: 6 }],
  ['it by one that would undo itself, but is older', {}, { onFailure: 'revert', fence: 4 }],
  [
    'a verify that may have to undo by an execute: it begins again',
    { action: 'verify', onFailure: 'revert' },
    { fence: 6 },
  ],
  ['a revert by a dry run or a verify', revert, { action: 'verify', fence: 6 }],
  ['a revert by a backup', revert, { action: 'backup', fence: 6 }],
  [
    'a revert by an execute that failed before it counted',
    revert,
    { startedAt: 11, fence: 0, batches: 0 },
  ],
] as const)('is not: %s', (_what, mine, theirs) => {
  expect(overtakenBy(work(mine), [other(theirs)])).toBeUndefined();
});
