import { describe, expect, it } from '@jest/globals';
import { before, CANARY, Story } from './story.memory.ts';

const MIGRATE = '{ migrate: order-totals, action: execute, batchSize: 200 }';
const APPROVE = '{ approve: review }';
const opened = () => new Story().opened();
const broken = () => opened().check({ requests: 1_000, errors: 100 });
const outside = (data: object = {}, environment = 'production') => ({
  type: 'RecordBreach' as const,
  data: {
    type: 'ThresholdBreached' as const,
    key: '',
    data: {
      environment,
      rollout: 'r-1',
      labels: {},
      guard: 'pager',
      fingerprint: 'f',
      startsAt: 2_000_000,
      message: 'too many complaints',
      ...data,
    },
    metadata: {
      id: 'b-1',
      source: 'alertmanager',
      at: 0,
      actor: 'alertmanager',
      correlationId: '',
    },
  },
});

describe('a breach', () => {
  it('is one decision: the breach, the rollback and its command, with the flag as it was', () => {
    const rolled = broken();
    expect(rolled.types()).toEqual(['ThresholdBreached', 'RollbackStarted', 'RestoreFlag']);
    expect(rolled.newest('ThresholdBreached')).toMatchObject({
      rollout: 'r-1',
      guard: 'error-rate',
      verdict: { outcome: 'breach', reason: 'error-rate-too-high', evidence: { errors: 100 } },
    });
    expect(rolled.newest('RollbackStarted')).toMatchObject({
      generation: 2,
      reason: 'error-rate-too-high',
      actions: ['restore-flag'],
    });
    expect(rolled.newest('RestoreFlag')).toMatchObject({
      definition: before,
      rollout: { id: 'r-1', generation: 2 },
    });
  });

  it('pauses a migration that runs', () => {
    const moving = new Story([MIGRATE, CANARY]).start().held().hears('MigrationStarted');
    expect(moving.check({ violations: 0 }).types()).toEqual([]);
    expect(moving.check({ violations: 1 }).types()).toEqual([
      'ThresholdBreached',
      'RollbackStarted',
      'RestoreFlag',
      'PauseMigration',
    ]);
    expect(moving.newest('PauseMigration')).toMatchObject({
      run: 'r-1.0.0',
      rollout: { id: 'r-1', generation: 2 },
    });
  });

  it.each([
    ['paused', () => opened().person('PauseRollout')],
    ['holding for data of another guard', () => opened().check({ answer: 'empty' }).check()],
    ['holding for too little evidence', () => opened().checks(6, { requests: 5 })],
    ['waiting for an approval', () => new Story([CANARY, APPROVE]).opened().checks(4)],
  ])('rolls back while it is %s', (_status, begin) => {
    expect(begin().check({ requests: 1_000, errors: 200 }).types()).toContain('RollbackStarted');
  });

  it('is proven once: what is proven is not taken back by data that are missing', () => {
    const begun = opened();
    begun.check({ requests: 1_000, errors: 9 });
    expect(begun.state.status).toBe('running');
    expect(begun.check({ requests: 100, errors: 60 }).types()).toContain('ThresholdBreached');
  });

  it('of which it told itself changes nothing when it comes back', () => {
    const rolled = broken();
    const own = rolled.newest('ThresholdBreached') as { fingerprint: string; startsAt: number };
    expect(rolled.tell(outside(own)).types()).toEqual([]);
  });
});

describe('a breach that somebody else found', () => {
  it('rolls back, names who told, and once only', () => {
    const rolled = opened().tell(outside(), 'alertmanager');
    expect(rolled.types()).toEqual(['RollbackStarted', 'RestoreFlag']);
    expect(rolled.newest('RollbackStarted')).toMatchObject({
      by: 'alertmanager',
      reason: 'pager',
      breach: { id: 'b-1', source: 'alertmanager', fingerprint: 'f', startsAt: 2_000_000 },
    });
    expect(rolled.tell(outside()).types()).toEqual([]);
  });

  it('does not count if it began before the rollout, or elsewhere', () => {
    expect(
      opened()
        .tell(outside({ startsAt: 1 }))
        .types(),
    ).toEqual(['BREACH_TOO_OLD']);
    expect(opened().tell(outside({}, 'test')).types()).toEqual(['BREACH_ELSEWHERE']);
  });

  it('does not touch a rollout that is over', () => {
    const done = opened().checks(4).answered('SetExposure').checks(4);
    expect(done.tell(outside()).types()).toEqual([]);
  });
});

describe('a rollback', () => {
  it('is complete once everything it asked for is done, and frees the flag', () => {
    const rolled = broken().answered('RestoreFlag');
    expect(rolled.types()).toEqual(['RollbackActionDone', 'RolloutRolledBack', 'ReleaseFlag']);
    expect(rolled.newest('ReleaseFlag')).toMatchObject({ rollout: { generation: 2 } });
    expect(rolled.state.status).toBe('rolled-back');
    expect(rolled.answered('RestoreFlag').types()).toEqual([]);
  });

  it('waits for the migration too; a run that is over, or never began, needs no pause', () => {
    const moving = new Story([MIGRATE, CANARY]).start().held().hears('MigrationStarted');
    moving.person('RollBack').answered('RestoreFlag');
    expect(moving.state.status).toBe('rolling-back');
    expect(moving.answered('PauseMigration', 'RUN_ENDED').types()).toContain('RolloutRolledBack');
    expect(moving.messages).toContainEqual(
      expect.objectContaining({
        type: 'RollbackActionDone',
        data: expect.objectContaining({ action: 'pause-migration', outcome: 'skipped' }),
      }),
    );
  });

  it('stops a run whose start was overtaken by its pause', () => {
    const early = new Story([MIGRATE, CANARY]).start().held().person('RollBack');
    early.answered('PauseMigration', 'RUN_UNKNOWN').answered('RestoreFlag');
    expect(early.state.status).toBe('rolled-back');
    expect(early.hears('MigrationStarted').types()).toEqual(['PauseMigration']);
  });

  it('of what was never held has nothing to put back', () => {
    const early = new Story().start().person('RollBack');
    expect(early.types()).toEqual(['RollbackStarted', 'RolloutRolledBack', 'ReleaseFlag']);
  });

  it('fails, and pages, when its command is refused', () => {
    const refused = broken().answered('RestoreFlag', 'FLAG_HELD');
    expect(refused.types()).toEqual(['RollbackActionDone', 'RolloutFailed']);
    expect(refused.newest('RolloutFailed')).toMatchObject({ reason: 'rollback-refused' });
  });

  it('fails, and pages once, when nobody answers in time; the answer still counts', () => {
    const silent = broken().checks(9);
    expect(silent.state.status).toBe('rolling-back');
    silent.checks(3);
    expect(silent.newest('RolloutFailed')).toMatchObject({
      reason: 'rollback-unanswered',
      message: 'restore-flag: no answer within 10s.',
    });
    expect(silent.checks(20).count('RolloutFailed')).toBe(1);
    expect(silent.answered('RestoreFlag').types()).toEqual([
      'RollbackActionDone',
      'RolloutRolledBack',
      'ReleaseFlag',
    ]);
  });

  it('that failed can be tried again, in a generation of its own', () => {
    const again = broken().answered('RestoreFlag', 'FLAG_HELD').person('RollBack', 'robin');
    expect(again.types()).toEqual(['RollbackStarted', 'RestoreFlag']);
    expect(again.newest('RestoreFlag')).toMatchObject({ rollout: { generation: 3 } });
    expect(again.answered('RestoreFlag', 'FLAG_HELD', 0).types()).toEqual([]);
    expect(again.answered('RestoreFlag').state.status).toBe('rolled-back');
  });

  it('is not undone by answers to what was sent before it', () => {
    const late = opened().checks(4).person('RollBack');
    expect(late.answered('SetExposure').types()).toEqual([]);
    expect(late.hears('FlagHeld', { definition: before, disabled: false }).types()).toEqual([]);
    expect(late.checks(5).count('SetExposure')).toBe(2);
  });
});

describe('a rollback of a plan that reverts its migration', () => {
  const REVERTING = '{ migrate: order-totals, action: execute, onFailure: revert }';
  const REVERT = 'revert-migration/order-totals';
  const run = 'r-1.revert.2.order-totals';
  const migrated = (total: object = {}) =>
    new Story([REVERTING, CANARY])
      .start()
      .held()
      .hears('MigrationStarted')
      .hears('MigrationCompleted', total)
      .check()
      .answered('SetExposure');

  it('puts the flag back first, so that nobody reads the new form any more', () => {
    const rolled = migrated().check({ violations: 1 });
    expect(rolled.types()).toEqual(['ThresholdBreached', 'RollbackStarted', 'RestoreFlag']);
    expect(rolled.newest('RollbackStarted')).toMatchObject({ actions: ['restore-flag', REVERT] });
    expect(rolled.answered('RestoreFlag').types()).toEqual(['RollbackActionDone', 'RunMigration']);
    expect(rolled.newest('RunMigration')).toMatchObject({
      run,
      migration: 'order-totals',
      action: 'revert',
      reason: expect.stringContaining('rollback of rollout r-1'),
    });
  });

  it('is over when the data are as they were, however long that takes', () => {
    const rolled = migrated().person('RollBack').answered('RestoreFlag').answered('RunMigration');
    rolled.hears('MigrationStarted', { run, action: 'revert' }).checks(60);
    expect(rolled.count('PauseMigration')).toBe(0);
    expect(rolled.state.status).toBe('rolling-back');
    expect(rolled.hears('MigrationCompleted', { run, action: 'revert' }).types()).toEqual([
      'RollbackActionDone',
      'RolloutRolledBack',
      'ReleaseFlag',
    ]);
    expect(rolled.newest('RolloutRolledBack')).toMatchObject({
      message: expect.stringContaining('order-totals is reverted.'),
    });
  });

  it.each([
    ['MigrationFailed', { code: 'MIGRATION_TARGET_DENIED', message: 'No right.' }],
    ['MigrationCancelled', { by: 'robin', reason: 'not now' }],
  ] as const)('fails, and pages, on %s', (type, data) => {
    const rolled = migrated().person('RollBack').answered('RestoreFlag');
    rolled.hears('MigrationStarted', { run }).hears(type, { run, ...data });
    expect(rolled.types()).toEqual(['RollbackActionDone', 'RolloutFailed']);
  });

  it('fails, and pages once, when somebody pauses the revert and nobody resumes it; its end still counts', () => {
    const rolled = migrated().person('RollBack').answered('RestoreFlag').answered('RunMigration');
    rolled.hears('MigrationStarted', { run, action: 'revert' }).checks(20);
    const pause = () =>
      rolled.hears('MigrationPaused', { run, action: 'revert', by: 'robin', reason: 'disk' });
    pause().checks(8);
    rolled.hears('MigrationResumed', { run, action: 'revert', by: 'robin', reason: 'done' });
    expect(rolled.checks(20).state.status).toBe('rolling-back');
    expect(pause().checks(9).state.status).toBe('rolling-back');
    expect(rolled.checks(20).count('RolloutFailed')).toBe(1);
    expect(rolled.newest('RolloutFailed')).toMatchObject({
      reason: 'rollback-stopped',
      message: `${REVERT}: paused by robin: disk. Not resumed within 10s.`,
    });
    rolled.hears('MigrationResumed', { run, action: 'revert', by: 'robin', reason: 'done' });
    expect(rolled.hears('MigrationCompleted', { run, action: 'revert' }).types()).toContain(
      'RolloutRolledBack',
    );
  });

  it('fails when nobody accepts the revert in time, counted from when it was sent', () => {
    const rolled = migrated().person('RollBack').checks(8).answered('RestoreFlag');
    expect(rolled.checks(9).state.status).toBe('rolling-back');
    expect(rolled.checks(2).newest('RolloutFailed')).toMatchObject({
      message: `${REVERT}: no answer within 10s.`,
    });
  });

  it('has nothing to revert where the runner has undone it already, or this rollout changed nothing', () => {
    const nothing = { total: { matched: 7, changed: 0, skipped: 7, mismatched: 0 } };
    expect(migrated(nothing).person('RollBack').newest('RollbackStarted')).toMatchObject({
      actions: ['restore-flag'],
    });
    const failed = new Story([REVERTING, CANARY]).start().held().hears('MigrationStarted');
    const reverted = { total: { changed: 7 }, reverted: { changed: 7 } };
    failed.hears('MigrationFailed', { code: 'BROKEN', message: '3 orders.', ...reverted });
    expect(failed.newest('RollbackStarted')).toMatchObject({ actions: ['restore-flag'] });
    const never = migrated().person('RollBack').answered('RestoreFlag');
    expect(never.answered('RunMigration', 'MIGRATION_NOT_EXECUTED').types()).toContain(
      'RolloutRolledBack',
    );
  });

  it('reverts what depends on it before it, though a schema and a cutover change no document', () => {
    const steps = [
      'columns, action: execute',
      'totals, action: execute',
      'read-totals, action: cutover',
    ].map((step) => `{ migrate: ${step}, onFailure: revert }`);
    const rolled = new Story([...steps, CANARY]).start().held();
    const none = { matched: 0, changed: 0, skipped: 0, mismatched: 0 };
    for (const [at, about] of ['schema', 'documents', 'cutover'].entries()) {
      const of = { run: `r-1.${at}.0` };
      const total = about === 'documents' ? {} : { total: none };
      rolled.hears('MigrationStarted', of);
      rolled.hears('MigrationCompleted', { ...of, ...total, report: { about } });
    }
    const order = ['read-totals', 'totals', 'columns'];
    expect(rolled.person('RollBack').newest('RollbackStarted')).toMatchObject({
      actions: ['restore-flag', ...order.map((id) => `revert-migration/${id}`)],
    });
    rolled.answered('RestoreFlag');
    for (const migration of order) {
      expect(rolled.newest('RunMigration')).toMatchObject({ migration, action: 'revert' });
      const of = { run: `r-1.revert.2.${migration}`, migration, action: 'revert' };
      rolled.answered('RunMigration').hears('MigrationCompleted', of);
    }
    expect(rolled.state.status).toBe('rolled-back');
  });

  it('reverts what was under way after that is paused, and several migrations the last one first', () => {
    const both = '{ migrate: stages, action: execute, onFailure: revert }';
    const moving = new Story([both, REVERTING, CANARY]).start().held().hears('MigrationStarted');
    moving.hears('MigrationCompleted').hears('MigrationStarted', { run: 'r-1.1.0' });
    moving.person('RollBack');
    expect(moving.newest('RollbackStarted')).toMatchObject({
      actions: ['restore-flag', 'pause-migration', REVERT, 'revert-migration/stages'],
    });
    expect(moving.answered('RestoreFlag').types()).toEqual(['RollbackActionDone']);
    expect(moving.answered('PauseMigration').types()).toContain('RunMigration');
    moving.hears('MigrationStarted', { run }).hears('MigrationCompleted', { run });
    expect(moving.newest('RunMigration')).toMatchObject({ migration: 'stages', action: 'revert' });
  });
});

describe('a person', () => {
  it.each([
    ['pending', () => new Story().start()],
    ['running', opened],
    ['holding', () => opened().check({ answer: 'down' })],
    ['paused', () => opened().person('PauseRollout')],
    ['completed', () => opened().checks(4).answered('SetExposure').checks(4)],
    ['failed', () => broken().answered('RestoreFlag', 'FLAG_HELD')],
  ])('can roll back while it is %s', (status, begin) => {
    const rolled = begin();
    expect(rolled.state.status).toBe(status);
    expect(rolled.person('RollBack').types()[0]).toBe('RollbackStarted');
    expect(rolled.newest('RollbackStarted')).toMatchObject({ reason: 'requested', by: 'alex' });
  });

  it('who wants what is under way or done changes nothing', () => {
    expect(broken().person('RollBack').types()).toEqual([]);
    expect(broken().answered('RestoreFlag').person('RollBack').types()).toEqual([]);
  });

  it('cannot roll back what was aborted, nor abort what rolls back', () => {
    expect(opened().person('AbortRollout').person('RollBack').types()).toEqual(['ROLLOUT_ENDED']);
    expect(broken().person('AbortRollout').types()).toEqual(['ROLLOUT_ROLLING_BACK']);
  });
});
