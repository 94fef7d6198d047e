import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { humanRun, type ShownRun } from './shown-run.ts';

const run: ShownRun = {
  run: 'm-7',
  migration: 'stages',
  action: 'verify',
  status: 'failed',
  startedAt: 1_790_000_000_000,
  counts: { matched: 0, changed: 0, skipped: 0 },
  code: 'MIGRATION_NOT_VERIFIED',
  message: '1 of 2 documents are still pending.',
};
const verified = {
  about: 'documents',
  action: 'verify',
  verdict: 'no-go',
  findings: [
    { level: 'stop', code: 'still-pending', message: '1 of 2 documents are still pending.' },
  ],
  matched: 2,
  pending: 1,
  leftOnPurpose: 0,
  checked: 2,
  broken: 0,
  invariants: [{ name: 'total-is-sum', checked: 2, broken: 0, examples: [] }],
  preserved: [],
  mismatches: [{ key: 12, problem: 'is still pending' }],
  mismatchesLeftOut: 1_233,
};
const lines = (shown: ShownRun): readonly string[] =>
  stripVTControlCharacters(humanRun(shown))
    .split('\n')
    .map((line) => line.trimEnd());

describe('a run on a terminal', () => {
  it('says how it stands, then what must be decided, then why', () => {
    expect(lines({ ...run, report: verified })).toEqual([
      'run        m-7',
      'migration  stages (verify)',
      'status     failed',
      'why        1 of 2 documents are still pending. (MIGRATION_NOT_VERIFIED)',
      '',
      'stages: verify   NO-GO',
      'Not verified: 1 of 2 documents pending; every one was looked at.',
      '',
      '  ✖ 1 of 2 documents are still pending.',
      '',
      'Mismatches',
      '  key  what is wrong',
      '  12   is still pending',
      '  … and 1 233 more',
      '',
      'Invariants',
      '  invariant     looked at  broken  for example',
      '  total-is-sum          2       0',
    ]);
  });

  it('shows what failed and how it was undone', () => {
    const revert = {
      about: 'documents',
      action: 'revert',
      verdict: 'go',
      findings: [],
      restored: 2,
      unchanged: 0,
      gone: 0,
      batches: 1,
      lines: [],
      tookMs: 2_000,
      workedMs: 1_000,
      listed: [],
      listedLeftOut: 0,
    };
    const shown = lines({ ...run, report: { ...verified, revert } });
    expect(shown).toContain('stages: verify   NO-GO');
    expect(shown).toContain('stages: revert   GO');
    expect(shown).toContain('2 documents undone in 2s.');
  });

  it('shows a report of another version as it is', () => {
    expect(lines({ ...run, report: { about: 'weather' } }).join('\n')).toContain(
      '"about": "weather"',
    );
  });
});
