import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type CutoverReport,
  type FailedDocument,
  MAX_REPORT_BYTES,
  migrationReport,
  type PlanReport,
  type VerifyReport,
} from '@tidegate/contracts';
import type { Migration, Row } from '@tidegate/migration';
import { matched, pending } from '../run/batch.ts';
import { openSqliteTarget } from '../target/target.sqlite.ts';
import type { Key, Selection, Target } from '../target/target.port.ts';
import type { Choices } from './choices.ts';
import { cutoverReport } from './cutover.handler.ts';
import { findingCodes } from './findings.ts';
import { planReport } from './plan.handler.ts';
import { schemaReport } from './schema.handler.ts';
import { lastKeyOf, spreadOver } from './spread.handler.ts';
import { type Journalled, verifyReport } from './verify.handler.ts';

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0).reverse()) each();
});

const clock = { now: () => performance.now() };
const shift = { goOn: async () => true };

interface Candidate extends Row {
  readonly id: number;
  readonly status: string | null;
  readonly region: string;
  readonly share: number;
  readonly stage: string | null;
}
const candidate = (id: number, more: Partial<Candidate> = {}): Candidate => ({
  id,
  status: ['submitted', 'review', 'offer'][id % 3] as string,
  region: id % 2 === 0 ? 'eu' : 'us',
  share: 0.1,
  stage: null,
  ...more,
});

/** A table with these rows. */
function table(rows: readonly Candidate[]) {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-report-'));
  cleanUp.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'hiring.db');
  const database = new DatabaseSync(file);
  cleanUp.push(() => database.close());
  database.exec(
    'CREATE TABLE candidates (id INTEGER PRIMARY KEY, status, region, share, stage); BEGIN',
  );
  const insert = database.prepare('INSERT INTO candidates VALUES (?, ?, ?, ?, ?)');
  const add = ({ id, status, region, share, stage }: Candidate) =>
    void insert.run(id, status, region, share, stage);
  rows.forEach(add);
  database.exec('COMMIT');
  const target = openSqliteTarget(file, 'read');
  cleanUp.push(() => void target.close());
  return { database, add, target };
}

const stages: Migration<Candidate> = {
  id: 'candidate-stages',
  target: 'hiring',
  collection: 'candidates',
  pending: { stage: { equals: null } },
  up: (document) => {
    if (document.status === 'odd') throw new Error('no stage for "odd"');
    return { ...document, stage: document.status };
  },
  down: (document) => ({ ...document, stage: null }),
  invariants: [{ name: 'status-is-there', holds: ({ status }) => status !== null }],
  groupBy: ({ region }) => region,
  mapping: ({ status, stage }) => stage ?? `(${status})`,
};

async function plan(
  target: Target,
  migration = stages,
  choices: Choices = {},
): Promise<PlanReport> {
  const found = await planReport({ migration: migration, target, shift, clock, choices });
  return migrationReport.parse(found?.report) as PlanReport;
}
async function verify(
  target: Target,
  migration = stages,
  more: {
    choices?: Choices;
    leftBehind?: FailedDocument[];
    journal?: AsyncIterable<Journalled>;
  } = {},
) {
  const inspection = {
    migration: migration,
    target,
    shift,
    clock,
    choices: {},
    leftBehind: [],
  };
  const found = await verifyReport({ ...inspection, ...more });
  return { report: migrationReport.parse(found?.report) as VerifyReport, failure: found?.failure };
}
const codes = ({ findings }: { findings: readonly { code: string }[] }) =>
  findings.map(({ code }) => code);
const people = (count: number) => Array.from({ length: count }, (_, index) => candidate(index + 1));

describe('a dry run', () => {
  it('says what would change, by path, group and mapping, with samples of each kind', async () => {
    const { target } = table([...people(30), candidate(31, { stage: 'offer' })]);
    const report = await plan(target);
    expect(report).toMatchObject({
      verdict: 'look',
      matched: 31,
      pending: 30,
      wouldChange: 30,
      failed: 0,
      fields: { stage: 30 },
      groups: [
        { group: 'us', pending: 15, wouldChange: 15, failed: 0 },
        { group: 'eu', pending: 15, wouldChange: 15, failed: 0 },
      ],
      invariants: [{ name: 'status-is-there', checked: 31, broken: 0 }],
      index: 'none',
      size: { documents: 30, overLimit: 0 },
    });
    expect(report.mapping).toEqual(
      expect.arrayContaining([{ from: '(offer)', to: 'offer', count: 10 }]),
    );
    expect(report.samples[0]).toMatchObject({
      key: 1,
      group: 'us',
      changes: [{ path: 'stage', before: null, after: 'review' }],
      before: { id: 1, stage: null },
      after: { id: 1, stage: 'review' },
    });
    // Two regions by three states: each of the six is there.
    expect(new Set(report.samples.map(({ key }) => Number(key) % 6)).size).toBe(6);
    expect(codes(report)).toEqual(['no-index', 'writers-not-seen']);
  });

  it('is a no-go where up fails, and a look where such documents may be left out', async () => {
    const { target } = table([
      ...people(5),
      candidate(6, { status: 'odd' }),
      candidate(7, { status: null }),
    ]);
    const stop = await plan(target);
    expect(stop).toMatchObject({ verdict: 'no-go', failed: 2 });
    expect(stop.findings[0]).toEqual({
      level: 'stop',
      code: 'documents-fail',
      message:
        'up fails on 2 documents, and the run would stop at the first of them: MIGRATION_UP_FAILED (1), MIGRATION_STILL_PENDING (1).',
    });
    expect(stop.failures[0]?.examples[0]).toMatchObject({
      key: 6,
      message: expect.stringContaining('no stage'),
    });
    expect(codes(stop)).toContain('invariant-broken-now');
    const skip = await plan(target, stages, { onError: 'skip' });
    expect([skip.verdict, codes(skip)[0]]).toEqual(['look', 'documents-skipped']);
    const tooMany = await plan(target, stages, { onError: 'skip', maxErrors: 1 });
    expect(tooMany.verdict).toBe('no-go');
  });

  it('sums what must not change over all documents, pending or not', async () => {
    const { target } = table([...people(9), candidate(10, { stage: 'offer', share: 5 })]);
    const migration = {
      ...stages,
      preserved: [{ name: 'share', of: (d: Candidate) => d.share, by: (d: Candidate) => d.region }],
    };
    const { preserved } = await plan(target, migration);
    expect(preserved).toEqual([
      {
        name: 'share',
        documents: 10,
        sum: '5.9',
        groups: [
          { group: 'us', documents: 5, sum: '0.5' },
          { group: 'eu', documents: 5, sum: '5.4' },
        ],
        groupsLeftOut: 0,
      },
    ]);
    expect((await verify(target, migration)).report.preserved).toEqual(preserved);
  });

  it('sees programs that still write the old form', async () => {
    const { target, add } = table(people(20));
    const page: Target['page'] = async (selection, after, limit) => {
      const rows = await target.page(selection, after, limit);
      // Once the greatest key was looked for, somebody writes.
      if (selection.filters.length === 1 && after === undefined) add(candidate(21));
      return rows;
    };
    const report = await plan({ ...target, page });
    expect(report.writers).toMatchObject({ arrived: 1, arrivedPending: 1 });
    expect(codes(report)).toContain('writers-write-old-form');
  });

  it('knows what cannot be undone, and what the server has no place for', async () => {
    const { target } = table([candidate(1, { status: 'x'.repeat(900) })]);
    const { down: _, ...oneWay } = stages;
    const report = await plan({ ...target, documentLimit: 1_500 }, oneWay, { backup: 'none' });
    expect(report.rollback).toEqual([]);
    expect(codes(report)).toEqual([
      'documents-too-large',
      'cannot-be-undone',
      'no-index',
      'writers-not-seen',
    ]);
    expect(report.findings[0]?.message).toMatch(/^1 document would be larger than the 1.5 kB/);
  });

  it('stops where up writes a field that the table has no column for', async () => {
    const { target } = table(people(20));
    const migration = {
      ...stages,
      up: (document: Candidate) => ({ ...stages.up(document), stages: ['x'], note: null }),
    };
    const report = await plan(target, migration);
    expect(report.verdict).toBe('no-go');
    expect(report.findings[0]).toEqual({
      level: 'stop',
      code: 'column-missing',
      message: 'up of candidate-stages writes stages: candidates has no such column.',
    });
    expect(codes(await plan({ ...target, hasColumns: false }, migration))).not.toContain(
      'column-missing',
    );
  });

  it('stays small with documents of 16 MB and a group for each document', async () => {
    const huge = 'x'.repeat(15_900_000);
    const { target } = table([
      ...people(3_000),
      ...[1, 2, 3].map((n) => candidate(10_000 + n, { status: huge })),
    ]);
    const migration = {
      ...stages,
      groupBy: ({ id }: Candidate) => `${id} ${huge.slice(0, 5_000)}`,
    };
    const report = await plan(target, migration);
    expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThan(MAX_REPORT_BYTES);
    expect(report).toMatchObject({ wouldChange: 3_003, groupsLeftOut: 2_003 });
    expect(report.groups).toHaveLength(1_000);
    expect(report.size.largestAfter?.bytes).toBeGreaterThan(31_800_000);
    expect(codes(report)).toContain('rows-left-out');
  });

  it('does not end because a function for reports throws', async () => {
    const { target } = table(people(3));
    const broken = (): never => {
      throw new Error('not written yet');
    };
    const report = await plan(target, {
      ...stages,
      groupBy: broken,
      mapping: broken,
      preserved: [{ name: 'share', of: broken }],
    });
    expect(report.groups).toEqual([
      expect.objectContaining({ group: '(not known: the function throws)' }),
    ]);
    expect(report.preserved).toMatchObject([{ documents: 0 }]);
    expect(codes(report)).toContain('preserved-unreadable');
  });

  it('ends with nothing when the time for it is over', async () => {
    const { target } = table(people(3));
    const over = { goOn: async () => false };
    const inspection = { migration: stages, target, shift: over, clock, choices: {} };
    expect(await planReport(inspection)).toBeUndefined();
    expect(await verifyReport({ ...inspection, leftBehind: [] })).toBeUndefined();
  });

  it('says that the filter takes nothing, and that nothing is left', async () => {
    const { target } = table([candidate(1, { stage: 'offer' })]);
    expect(codes(await plan(target))).toEqual(['nothing-to-do']);
    const none = await plan(target, { ...stages, filter: { region: { equals: 'nowhere' } } });
    expect(none).toMatchObject({ verdict: 'no-go', findings: [{ code: 'nothing-matched' }] });
  });
});

describe('a verification', () => {
  const done = (count: number) => people(count).map((each) => ({ ...each, stage: each.status }));

  it('counts, and looks at samples that are spread over all keys', async () => {
    const { target } = table(done(5_000));
    const read: Key[] = [];
    const page: Target['page'] = async (selection, after, limit) => {
      const rows = await target.page(selection, after, limit);
      read.push(...rows.map(({ id }) => id as number));
      return rows;
    };
    const { report, failure } = await verify({ ...target, page });
    expect(failure).toBeUndefined();
    expect(report).toMatchObject({
      verdict: 'go',
      matched: 5_000,
      pending: 0,
      checked: 50,
      broken: 0,
    });
    expect(read.length).toBeLessThan(200);
    for (let from = 0; from < 5_000; from += 500)
      expect(read.some((key) => Number(key) > from && Number(key) <= from + 500)).toBe(true);
  });

  it('names what is still pending and what breaks an invariant', async () => {
    const { target } = table([
      ...done(8),
      candidate(9),
      candidate(10, { status: null, stage: 'offer' }),
    ]);
    const { report, failure } = await verify(target);
    expect(failure).toBe(
      '1 of 10 documents are still pending. 1 of 10 documents break an invariant (status-is-there): 10.',
    );
    expect(report.mismatches).toEqual([
      { key: 9, problem: 'is still pending' },
      { key: 10, problem: 'breaks status-is-there' },
    ]);
  });

  it('does not blame a run for what it has left on purpose', async () => {
    const { target } = table([...done(8), candidate(9, { status: 'odd' })]);
    const leftBehind = [{ key: 9, code: 'MIGRATION_UP_FAILED', message: 'no stage' }];
    const { report, failure } = await verify(target, stages, { leftBehind });
    expect(failure).toBeUndefined();
    expect(report).toMatchObject({ verdict: 'look', pending: 1, leftOnPurpose: 1 });
  });

  it('tells edits of others from changes that were undone, by what was written down', async () => {
    const { target, database } = table(done(40));
    async function* journal(): AsyncGenerator<Journalled> {
      for (let key = 40; key >= 1; key -= 1)
        yield {
          key,
          compare: ({ stage }) =>
            stage === candidate(key).status ? 'written' : stage === 'lost' ? 'before' : 'edited',
        };
    }
    database.exec(
      `UPDATE candidates SET stage = 'hired' WHERE id IN (3, 4); DELETE FROM candidates WHERE id = 5`,
    );
    const fine = await verify(target, stages, { journal: journal() });
    expect(fine.failure).toBeUndefined();
    expect(fine.report.checksums).toEqual({
      compared: 40,
      written: 37,
      edited: 2,
      before: 0,
      gone: 1,
    });
    expect(codes(fine.report)).toEqual(['documents-gone', 'edited-since']);
    database.exec(`UPDATE candidates SET stage = 'lost' WHERE id = 7`);
    const bad = await verify(target, stages, { journal: journal() });
    expect(bad.failure).toBe('1 of 40 documents that were changed are again as they were before.');
    expect(bad.report.mismatches).toEqual([{ key: 7, problem: 'is again as it was before' }]);
  });
});

describe('keys', () => {
  const all: Selection = matched(stages);
  it('of the last document are found without reading all', async () => {
    const { target } = table([...people(3_000), candidate(2 ** 40), candidate(2 ** 40 + 1)]);
    let asked = 0;
    const page: Target['page'] = (...of) => {
      asked += 1;
      return target.page(...of);
    };
    expect(await lastKeyOf({ target: { ...target, page }, shift }, all)).toBe(2 ** 40 + 1);
    expect(asked).toBeLessThan(80);
    expect(await lastKeyOf({ target: table([]).target, shift }, all)).toBeUndefined();
  });
  it('of a sample lie over the whole range also where there are few in a wide one', async () => {
    const { target } = table([...people(5_000), candidate(2 ** 50)]);
    const keys: number[] = [];
    for await (const { key } of spreadOver({ target, shift }, all, { total: 5_001, wanted: 40 }))
      keys.push(Number(key));
    expect(keys).toHaveLength(40);
    expect(keys).toContain(2 ** 50);
    expect(keys.filter((key) => key > 2_500 && key <= 5_000).length).toBeGreaterThan(10);
  });
});

describe('a cutover', () => {
  const part = (target: Target) => ({
    migration: stages.id,
    verified: 'm-1',
    counted: async () => ({ pending: await target.count(pending(stages)), leftOnPurpose: 0 }),
  });
  const proof = {
    action: 'cutover' as const,
    settleMs: 30_000,
    switch: { flag: 'stages', variant: 'new' },
  };
  /** Pending, and of them left on purpose, each time they are counted. */
  const counts = (each: readonly (readonly [number, number])[]) => {
    const left = [...each];
    return async () => {
      const [pending, leftOnPurpose] = left.shift() ?? [0, 0];
      return { pending, leftOnPurpose };
    };
  };
  const report = async (of: Parameters<typeof cutoverReport>[0]) => {
    const found = await cutoverReport(of);
    return {
      report: migrationReport.parse(found?.report) as CutoverReport,
      failure: found?.failure,
    };
  };

  it('is proven where nothing is pending, also after programs have written for a while', async () => {
    const { target } = table([candidate(1, { stage: 'offer' })]);
    const found = await report({ ...proof, parts: [part(target)], settle: async () => true });
    expect(found.failure).toBeUndefined();
    expect(found.report).toMatchObject({
      verdict: 'go',
      of: [{ pending: 0, pendingLater: 0 }],
      findings: [
        {
          code: 'switch-next',
          message: expect.stringContaining('tidegate flag expose stages 100'),
        },
      ],
    });
  });

  it('is not where a program writes the old form meanwhile', async () => {
    const { target, add } = table([candidate(1, { stage: 'offer' })]);
    const settle = async () => {
      add(candidate(2));
      return true;
    };
    const found = await report({ ...proof, parts: [part(target)], settle });
    expect(found.failure).toBe(
      'candidate-stages: within 30s programs wrote 1 document in the old form.',
    );
  });

  it('is not where one that was left on purpose is mended, and a program writes another', async () => {
    const found = await report({
      ...proof,
      parts: [
        {
          migration: 'stages',
          verified: 'm-1',
          counted: counts([
            [2, 2],
            [2, 1],
          ]),
        },
      ],
      settle: async () => true,
    });
    expect(found.failure).toBe('stages: within 30s programs wrote 1 document in the old form.');
  });

  it('is not where a part is pending or not verified, and is not waited for then', async () => {
    const { target } = table([candidate(1)]);
    const unverified = { ...part(target), verified: 'not yet' };
    const settle = () => Promise.reject(new Error('waited'));
    const found = await report({ ...proof, parts: [unverified], settle });
    expect(codes(found.report)).toEqual(['still-pending', 'not-verified']);
  });
});

it('a schema that is not there is no verified one', async () => {
  const { target } = table([]);
  const migration = {
    id: 'candidate-index',
    phase: 'schema' as const,
    target: 'hiring',
    collection: 'candidates',
    indexes: [{ name: 'by_stage', fields: { stage: 1 as const, id: -1 as const } }],
  };
  const schema = { ...target.schema, missing: async () => ['index by_stage'] };
  const planned = await schemaReport(migration, 'plan', { ...target, schema });
  expect(planned).toMatchObject({
    report: {
      verdict: 'go',
      wanted: ['index by_stage on stage, id (descending)'],
      missing: ['index by_stage'],
    },
  });
  expect(planned.failure).toBeUndefined();
  const verified = await schemaReport(migration, 'verify', { ...target, schema });
  expect(verified.failure).toBe('Not there: index by_stage.');
});

it('every code of a finding is in the documents', () => {
  const page = readFileSync(
    new URL('../../../../docs/migrations/reports.md', import.meta.url),
    'utf8',
  );
  expect(findingCodes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});
