import { describe, expect, it } from '@jest/globals';
import {
  CancelMigration,
  type MigrationEvent,
  PauseMigration,
  ResumeMigration,
  RunMigration,
} from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { specification } from '@tidegate/kernel/testing';
import type { AnyMigration } from '@tidegate/migration';
import type { Known } from '../migration/readiness.ts';
import { type Standing, untouched } from '../migration/standing.ts';
import { type AnyRunCommand, decideRun } from './decide-run.ts';
import { evolveRun } from './evolve-run.ts';
import { initialRun, type Run } from './run.ts';
import type { RunnerCommand } from './runner-command.ts';

const migration: AnyMigration = {
  id: 'order-totals',
  target: 'checkout',
  collection: 'orders',
  pending: { total: { equals: null } },
  up: (order) => order,
};
const knownWith = (standing: Partial<Standing> = {}): Known => ({
  migrations: new Map([['order-totals', { migration, hash: 'sha256:1', file: 'order-totals.ts' }]]),
  standings: new Map([['order-totals', { ...untouched, ...standing }]]),
  others: [],
});
const known = knownWith();
const given = specification<Run, AnyRunCommand, MigrationEvent>({
  initial: initialRun,
  decide: decideRun(known, 'm-7'),
  evolve: evolveRun,
});

const about = { run: 'm-7', migration: 'order-totals', action: 'execute' as const };
const started: MigrationEvent = {
  type: 'MigrationStarted',
  data: {
    ...about,
    definitionHash: 'sha256:1',
    batchSize: 200,
    sampleSize: 50,
    by: 'alex',
  },
};
const paused: MigrationEvent = {
  type: 'MigrationPaused',
  data: { ...about, by: 'alex', reason: 'x' },
};
const counts = { matched: 200, changed: 200, skipped: 0, mismatched: 0 };
const applied = (fence: number, last = 200): MigrationEvent => ({
  type: 'MigrationBatchApplied',
  data: {
    ...about,
    batch: 1,
    fence,
    first: 1,
    last,
    batchCounts: counts,
    total: counts,
    tookMs: 3,
  },
});
const completed: MigrationEvent = {
  type: 'MigrationCompleted',
  data: { ...about, total: counts, report: {} },
};
const metadata = { id: 'c-1', source: 'spec', at: 5, actor: 'runner', correlationId: 'm-7' };
const record = (fence: number): RunnerCommand => ({
  type: 'RecordBatch',
  data: { fence, first: 201, last: 400, counts, tookMs: 2 },
  metadata,
});
const endSweep = (left: number): RunnerCommand => ({
  type: 'EndSweep',
  data: { fence: 1, left },
  metadata,
});
const run = exampleOf(RunMigration);

describe('a migration run', () => {
  it('starts with the hash of the text that it will run', () => {
    given([]).when(run).then([started]);
  });

  it('starts once, however often the same request comes', () => {
    given([started]).when(run).then([]);
  });

  it('does not take a second migration under one id', () => {
    given([started])
      .when(exampleOf(RunMigration, { action: 'plan' }))
      .thenRejected('RUN_EXISTS');
  });

  it('refuses a migration that the runner does not know', () => {
    given([])
      .when(exampleOf(RunMigration, { migration: 'nothing' }))
      .thenRejected('MIGRATION_UNKNOWN');
  });

  it('counts batches and moves its checkpoint', () => {
    given([started, applied(1)])
      .when(record(1))
      .then([
        {
          type: 'MigrationBatchApplied',
          data: {
            ...about,
            batch: 2,
            fence: 1,
            first: 201,
            last: 400,
            batchCounts: counts,
            total: { ...counts, matched: 400, changed: 400 },
            tookMs: 2,
          },
        },
      ]);
  });

  it('remembers its batches, with their keys, counts and time', () => {
    const { state } = given([started, applied(1), applied(1, 400)]).when(record(1));
    expect(state).toMatchObject({
      work: { lines: [{ first: 1, last: 200, changed: 200, tookMs: 3, at: 5 }, { last: 400 }] },
    });
  });

  it('does not let a runner write whose lease was taken over', () => {
    given([started, applied(2)])
      .when(record(1))
      .thenRejected('RUN_LEASE_LOST');
  });

  it('records the batch that was under way when it was paused: it is written', () => {
    given([started, paused]).when(record(1)).thenTypes('MigrationBatchApplied');
  });

  it('records the batch that was under way when it was cancelled, and nothing else', () => {
    const cancelled: MigrationEvent = {
      type: 'MigrationCancelled',
      data: { ...about, by: 'alex', reason: 'x', total: counts },
    };
    const { state } = given([started, applied(1), cancelled]).when(record(1));
    expect(state).toMatchObject({ status: 'cancelled', work: { total: { changed: 200 } } });
    given([started, cancelled]).when(record(1)).thenTypes('MigrationBatchApplied');
    given([started, cancelled]).when(endSweep(0)).thenRejected('RUN_ENDED');
  });

  it('is paused once, and resumed only with the text it began with', () => {
    given([started]).when(exampleOf(PauseMigration)).thenTypes('MigrationPaused');
    given([started, paused]).when(exampleOf(PauseMigration)).then([]);
    given([started, paused]).when(exampleOf(ResumeMigration)).thenTypes('MigrationResumed');
    const { data } = started;
    given([{ type: 'MigrationStarted', data: { ...data, definitionHash: 'other' } }, paused])
      .when(exampleOf(ResumeMigration))
      .thenRejected('MIGRATION_CHANGED');
  });

  it('begins another sweep while something is pending and the last one changed something', () => {
    const { state } = given([started, applied(1)]).when(endSweep(3));
    expect(state).toMatchObject({ work: { checkpoint: 200 } });
    given([started, applied(1)])
      .when(endSweep(3))
      .thenTypes('MigrationSweepEnded');
    given([
      started,
      applied(1),
      { type: 'MigrationSweepEnded', data: { ...about, sweep: 1, left: 3 } },
    ])
      .when(endSweep(3))
      .thenTypes('MigrationFailed');
  });

  it('begins a sweep at the first key', () => {
    const ended: MigrationEvent = {
      type: 'MigrationSweepEnded',
      data: { ...about, sweep: 1, left: 3 },
    };
    expect(given([started, applied(1), ended]).when(endSweep(0)).state).toMatchObject({
      work: { sweep: 2, checkpoint: undefined, changedInSweep: 0 },
    });
  });

  it('takes nothing more once it has ended', () => {
    given([started, completed]).when(record(1)).thenRejected('RUN_ENDED');
    given([started, completed]).when(exampleOf(CancelMigration)).thenRejected('RUN_ENDED');
    given([]).when(exampleOf(PauseMigration)).thenRejected('RUN_UNKNOWN');
  });
});

const fact = (event: MigrationEvent) => ({ ...event, metadata: { id: 'e', at: 5 } });

const fail = (code = 'MIGRATION_NOT_VERIFIED'): RunnerCommand => ({
  type: 'FailRun',
  data: { fence: 1, code, message: '2 are wrong.', report: { broken: 2 } },
  metadata,
});
const finish: RunnerCommand = {
  type: 'FinishRun',
  data: { fence: 1, report: { restored: 200 } },
  metadata,
};
const undoing: MigrationEvent = {
  type: 'MigrationRevertStarted',
  data: {
    ...about,
    code: 'MIGRATION_NOT_VERIFIED',
    message: '2 are wrong.',
    report: { broken: 2 },
  },
};

describe('a run that fails', () => {
  const measured: MigrationEvent = { type: 'MigrationMeasured', data: { ...about, expected: 3 } };
  const asked: MigrationEvent = { ...started, data: { ...started.data, onFailure: 'revert' } };

  it('is failed, and tells what it found', () => {
    given([started, applied(1)])
      .when(fail())
      .then([
        {
          type: 'MigrationFailed',
          data: {
            ...about,
            code: 'MIGRATION_NOT_VERIFIED',
            message: '2 are wrong.',
            total: counts,
            report: { broken: 2 },
          },
        },
      ]);
  });

  it('undoes what the migration has changed first, where it was asked to', () => {
    given([asked, applied(1)])
      .when(fail())
      .then([undoing]);
    const { state } = given([asked, applied(1), undoing]).when(record(1));
    expect(state).toMatchObject({
      status: 'running',
      work: { reverting: { before: counts }, total: { changed: 0 }, checkpoint: undefined },
    });
  });

  it('has failed once that is undone, with both reports and both counts', () => {
    given([asked, applied(1), undoing, applied(1)])
      .when(finish)
      .then([
        {
          type: 'MigrationFailed',
          data: {
            ...about,
            code: 'MIGRATION_NOT_VERIFIED',
            message: '2 are wrong. What it had changed is undone.',
            total: counts,
            report: { broken: 2, revert: { restored: 200 } },
            reverted: counts,
          },
        },
      ]);
  });

  it('does not lose why it failed when undoing fails too', () => {
    given([asked, applied(1), undoing])
      .when(fail('MIGRATION_TARGET_DENIED'))
      .then([
        {
          type: 'MigrationFailed',
          data: {
            ...about,
            code: 'MIGRATION_NOT_VERIFIED',
            message:
              '2 are wrong. Undoing it failed too, after 0 documents: MIGRATION_TARGET_DENIED: 2 are wrong.',
            total: counts,
            report: { broken: 2 },
          },
        },
      ]);
  });

  it('remembers where in the journal it began, and by which lease, also while it undoes itself', () => {
    const counted = { fence: 2, expected: 3, journalFrom: 4 };
    const from: MigrationEvent = { type: 'MigrationMeasured', data: { ...about, ...counted } };
    given([asked]).when({ type: 'MeasureRun', data: counted, metadata }).then([from]);
    given([asked, from]).when(record(1)).thenRejected('RUN_LEASE_LOST');
    const again: MigrationEvent = { type: 'MigrationMeasured', data: { ...about, expected: 9 } };
    expect(given([asked, from, undoing, again]).when(finish).state).toMatchObject({
      work: { expected: 9, journalFrom: 4, fence: 2 },
    });
  });

  it('undoes nothing where nothing was begun, nor on top of what another run did', () => {
    given([asked]).when(fail('MIGRATION_NOT_READY')).thenTypes('MigrationFailed');
    given([asked, applied(1)])
      .when(fail('MIGRATION_OVERTAKEN'))
      .thenTypes('MigrationFailed');
  });

  it('undoes also what a sweep without progress left', () => {
    given([asked, measured]).when(endSweep(3)).thenTypes('MigrationRevertStarted');
  });

  it('undoes nothing of earlier runs where it could not even count', () => {
    given([asked]).when(fail('MIGRATION_TARGET_FAILED')).thenTypes('MigrationFailed');
    given([asked, measured])
      .when(fail('MIGRATION_TARGET_FAILED'))
      .thenTypes('MigrationRevertStarted');
  });

  it('undoes after a verify that found something wrong, not after one that could not look', () => {
    const verify: MigrationEvent = { ...asked, data: { ...asked.data, action: 'verify' } };
    given([verify]).when(fail()).thenTypes('MigrationRevertStarted');
    given([verify, measured]).when(fail('MIGRATION_TARGET_DENIED')).thenTypes('MigrationFailed');
  });
});

describe('a run of a restored backup', () => {
  const restored: AnyRunCommand = { type: 'StoreRestored', data: { epoch: 2 }, metadata };

  it('is paused with a named reason, and keeps its checkpoint', () => {
    const decide = decideRun(known, 'm-7');
    const running = [started, applied(1)].map(fact).reduce(evolveRun, initialRun);
    const decided = decide(restored, running);
    expect(decided).toMatchObject([
      {
        type: 'MigrationPaused',
        data: {
          by: 'runner',
          because: 'store-restored',
          reason: expect.stringContaining('store-restored (epoch 2)'),
        },
      },
    ]);
    const after = (decided as readonly MigrationEvent[]).map(fact).reduce(evolveRun, running);
    expect(after).toMatchObject({ status: 'paused', work: { checkpoint: 200 } });
  });

  it('stays as it is when it does not run', () => {
    given([started, paused]).when(restored).then([]);
    given([started, completed]).when(restored).then([]);
  });
});
