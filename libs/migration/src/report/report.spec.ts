import { describe, expect, it } from '@jest/globals';
import type { MigrationReport, PlanReport } from '@tidegate/contracts';
import { markdownOf } from './markdown.ts';
import { pagesOf } from './page.ts';
import { bytes, documents, firstOf, grouped } from './words.ts';

const plan: PlanReport = {
  about: 'documents',
  action: 'plan',
  verdict: 'no-go',
  findings: [
    { level: 'stop', code: 'documents-fail', message: 'up fails on 3 documents.' },
    { level: 'note', code: 'writers-not-seen', message: 'Nothing new was written.' },
  ],
  server: 'PostgreSQL 15.4',
  matched: 1_200,
  pending: 1_000,
  wouldChange: 997,
  failed: 3,
  failures: [
    {
      code: 'MIGRATION_UP_FAILED',
      count: 3,
      examples: [{ key: 42, message: 'no <b>stage</b>\n# for "odd|one"' }],
    },
  ],
  groups: [{ group: 'eu', pending: 1_000, wouldChange: 997, failed: 3 }],
  groupsLeftOut: 0,
  fields: { stage: 997 },
  fieldsLeftOut: 0,
  mapping: [{ from: 'a`b|c', to: '[x](http://example.com)', count: 997 }],
  mappingLeftOut: 12,
  samples: [
    {
      key: 7,
      changes: [
        { path: 'stage', before: null, after: 'review' },
        { path: 'old', before: 'x' },
      ],
      changesLeftOut: 0,
      before: { stage: null },
      after: { stage: 'review' },
    },
  ],
  invariants: [],
  preserved: [],
  writers: { arrived: 0, arrivedPending: 0, pendingLater: 1_000 },
  index: 'by_stage',
  reading: 'Index Scan using by_stage',
  readiness: { replicationLagMs: 1_500, detail: [] },
  size: { documents: 997, bytesBefore: 99_700, bytesAfter: 199_400, overLimit: 0 },
  time: { documents: 1_000, readMs: 40, transformMs: 10, likelyMs: 4_200, assumes: 'no waiting' },
  rollback: ['tidegate migration run stages --revert'],
};

const markdown = (report: MigrationReport): string =>
  pagesOf(report, 'stages').map(markdownOf).join('');

describe('a report in markdown', () => {
  it('begins with what must be decided', () => {
    const lines = markdown(plan).split('\n');
    expect(lines.slice(0, 8)).toEqual([
      '# stages: dry run',
      '',
      '**No go.** 997 of 1 200 documents would change, in about 4s; 3 fail. It can be undone.',
      '',
      '- **Stop**: up fails on 3 documents.',
      '- Note: Nothing new was written.',
      '',
      '## Failures',
    ]);
  });

  it('shows what documents hold as it is, and never as markup', () => {
    const text = markdown(plan);
    expect(text).toContain('| `42` | no \\<b>stage\\</b> ⏎ # for "odd\\|one" |');
    expect(text).toContain('| ``a`b\\|c`` | `[x](http://example.com)` | 997 |');
    expect(text).toContain('… and 12 more.');
    const rows = text.split('\n').filter((line) => line.startsWith('|'));
    expect(rows.every((row) => row.endsWith(' |'))).toBe(true);
  });

  it('tells absent from null', () => {
    const text = markdown(plan);
    expect(text).toContain('| `7` | `stage` | `null` | `"review"` |');
    expect(text).toContain('|  | `old` | `"x"` | absent |');
  });

  it('is there for every kind of report', () => {
    const judged = { verdict: 'go' as const, findings: [] };
    const worked = { batches: 0, lines: [], tookMs: 1_000, workedMs: 500 };
    const of: readonly (readonly [MigrationReport, string])[] = [
      [
        {
          about: 'documents',
          action: 'backup',
          ...judged,
          kind: 'before-images',
          documents: 1,
          bytes: 2_500,
          limitBytes: 1e9,
          tookMs: 1_000,
        },
        '1 document kept as they are, in 1s. The way back of the migration has 2.5 kB of at most 1 GB.',
      ],
      [
        {
          about: 'documents',
          action: 'backup',
          ...judged,
          kind: 'snapshot',
          snapshot: 's-1',
          tookMs: 1_000,
        },
        'The snapshot s-1 was made in 1s.',
      ],
      [
        { about: 'documents', action: 'cleanup', ...judged, bytes: 2_500 },
        'The way back is given up: 2.5 kB of before-images are forgotten.',
      ],
      [
        {
          about: 'documents',
          action: 'revert',
          ...judged,
          ...worked,
          restored: 3,
          unchanged: 0,
          gone: 0,
          listed: [{ key: 1, reason: 'edited' }],
          listedLeftOut: 1,
        },
        '3 documents undone in 1s; 2 could not be.',
      ],
      [
        {
          about: 'documents',
          action: 'execute',
          ...judged,
          ...worked,
          matched: 5,
          pending: 0,
          changed: 5,
          skipped: 0,
          mismatched: 0,
          failed: 0,
          sweeps: 1,
          documentsPerSecond: 10,
          failures: [],
          rollback: [],
        },
        '5 documents changed in 1s (10 a second).',
      ],
      [
        {
          about: 'documents',
          action: 'verify',
          ...judged,
          matched: 5,
          pending: 0,
          leftOnPurpose: 0,
          checked: 5,
          broken: 0,
          invariants: [],
          preserved: [],
          mismatches: [],
          mismatchesLeftOut: 0,
        },
        'Verified: 0 of 5 documents pending; every one was looked at.',
      ],
      [
        {
          about: 'schema',
          action: 'plan',
          ...judged,
          server: 'x',
          wanted: ['index a'],
          missing: ['index a'],
        },
        '1 of 1 are not there yet.',
      ],
      [
        {
          about: 'cutover',
          action: 'cutover',
          ...judged,
          of: [{ migration: 'stages', pending: 0, pendingLater: 0, leftOnPurpose: 0 }],
          settledMs: 30_000,
        },
        'The new form alone may be read.',
      ],
    ];
    for (const [report, headline] of of) {
      const text = markdown(report);
      expect(text).toContain(`**Go.** ${headline}`);
      expect(text).not.toContain('undefined');
    }
  });
});

describe('words', () => {
  it.each([
    [grouped(1_234_567), '1 234 567'],
    [documents(1), '1 document'],
    [bytes(999), '999 bytes'],
    [bytes(16_777_216), '16.8 MB'],
    [firstOf([1, 2, 3, 4], 9), '1, 2, 3, 6 more'],
    [firstOf([1, 2]), '1, 2'],
  ])('%s', (said, wanted) => expect(said).toBe(wanted));
});
