import { describe, expect, it } from '@jest/globals';
import { ALL, CANARY, Story } from './story.memory.ts';

const MIGRATE = '{ migrate: order-totals, action: execute, batchSize: 200 }';
const APPROVE = '{ approve: review, role: approver, deadline: 5s }';
const opened = () => new Story().opened();
const moving = () =>
  new Story([MIGRATE, CANARY]).start().held().answered('RunMigration').hears('MigrationStarted');

describe('an approval', () => {
  const waiting = () => new Story([APPROVE, CANARY]).start().held();

  it('is asked for, held for, and given by somebody else than who began', () => {
    const asked = waiting();
    expect(asked.types()).toEqual(['FlagClaimed', 'StepStarted', 'ApprovalRequested']);
    expect(asked.state).toMatchObject({ status: 'holding', hold: { reason: 'awaiting-approval' } });
    expect(asked.approve('review', 'alex').types()).toEqual(['APPROVAL_FOUR_EYES']);
    expect(asked.approve('review').types()).toEqual([
      'ApprovalGiven',
      'StepCompleted',
      'StepStarted',
    ]);
    expect(asked.approve('review').types()).toEqual([]);
    expect(asked.check().types()).toEqual(['SetExposure']);
  });

  it('is of a step of the plan, and of the present one', () => {
    expect(waiting().approve('other').types()).toEqual(['ROLLOUT_STEP_UNKNOWN']);
    const later = new Story([CANARY, APPROVE]).opened();
    expect(later.approve('review').types()).toEqual(['ROLLOUT_NOT_WAITING']);
  });

  it('waits however long, pages once at its deadline, and cannot be passed over', () => {
    const late = waiting().checks(100);
    expect(late.count('DeadlineMissed')).toBe(1);
    expect(late.count('RolloutHeld')).toBe(0);
    expect(late.person('PromoteRollout').types()).toEqual(['ROLLOUT_NOT_PROMOTABLE']);
  });

  it('given while paused takes effect when the rollout is resumed', () => {
    const given = waiting().person('PauseRollout').approve('review');
    expect(given.types()).toEqual(['ApprovalGiven']);
    expect(given.person('ResumeRollout').types()).toEqual([
      'RolloutResumed',
      'StepCompleted',
      'StepStarted',
    ]);
  });
});

describe('a migration step', () => {
  it('asks for one run, made from what it is for, and goes on when it is complete', () => {
    const asked = new Story([MIGRATE, CANARY]).start().held();
    expect(asked.newest('RunMigration')).toEqual({
      run: 'r-1.0.0',
      migration: 'order-totals',
      action: 'execute',
      batchSize: 200,
      rollout: { id: 'r-1', generation: 1 },
    });
    asked.answered('RunMigration').hears('MigrationStarted');
    expect(asked.hears('MigrationCompleted').types()).toEqual([
      'MigrationObserved',
      'StepCompleted',
      'StepStarted',
    ]);
  });

  it('does not mind the runs of others', () => {
    expect(moving().hears('MigrationCompleted', { run: 'r-1.0.7' }).types()).toEqual([]);
  });

  it('that fails puts the flag back as it was', () => {
    const failed = moving().hears('MigrationFailed', { code: 'BROKEN', message: '3 orders.' });
    expect(failed.types()).toEqual(['MigrationObserved', 'RollbackStarted', 'RestoreFlag']);
    expect(failed.newest('RollbackStarted')).toMatchObject({
      reason: 'migration-failed',
      message: 'Migration order-totals (execute) failed. BROKEN: 3 orders.',
    });
  });

  it('holds while somebody has paused the run, and goes on with it', () => {
    const stopped = moving().hears('MigrationPaused', { by: 'robin', reason: 'disk' });
    expect(stopped.types()).toEqual(['MigrationObserved', 'RolloutHeld']);
    expect(stopped.newest('RolloutHeld')).toMatchObject({
      reason: 'migration-paused',
      message: 'paused by robin: disk',
    });
    expect(stopped.hears('MigrationResumed').types()).toEqual([
      'MigrationObserved',
      'RolloutResumed',
    ]);
  });

  it('pages when the run is cancelled or refused; resuming begins a new one', () => {
    const cancelled = moving().hears('MigrationCancelled', { by: 'robin', reason: 'no' });
    expect(cancelled.newest('RolloutHeld')).toMatchObject({
      reason: 'migration-cancelled',
      page: true,
    });
    cancelled.person('ResumeRollout');
    expect(cancelled.newest('RunMigration')).toMatchObject({ run: 'r-1.0.1' });
    const refused = new Story([MIGRATE]).start().held().answered('RunMigration', 'RUN_EXISTS');
    expect(refused.newest('RolloutHeld')).toMatchObject({
      reason: 'migration-refused',
      page: true,
    });
    expect(refused.person('ResumeRollout').newest('RunMigration')).toMatchObject({
      run: 'r-1.0.0',
    });
  });
});

describe('a pause', () => {
  it('stops the migration too, and resuming lets it go on', () => {
    const paused = moving().person('PauseRollout');
    expect(paused.types()).toEqual(['RolloutPaused', 'PauseMigration']);
    paused.hears('MigrationPaused', { by: 'alex', reason: 'rollout r-1 is paused' });
    expect(paused.person('ResumeRollout').types()).toEqual(['RolloutResumed', 'ResumeMigration']);
  });

  it('that arrives after its resume is taken back', () => {
    const crossed = moving().person('PauseRollout').person('ResumeRollout');
    crossed.hears('MigrationPaused', { by: 'alex', reason: 'rollout r-1 is paused' });
    expect(crossed.types()).toEqual(['MigrationObserved', 'ResumeMigration']);
  });

  it('catches a run that starts meanwhile', () => {
    const early = new Story([MIGRATE]).start().held().person('PauseRollout');
    expect(early.hears('MigrationStarted').types()).toEqual([
      'MigrationObserved',
      'PauseMigration',
    ]);
  });

  it('before the flag is held keeps the first step from beginning', () => {
    const early = new Story([CANARY], '').start().person('PauseRollout').held();
    expect(early.types()).toEqual(['FlagClaimed']);
    expect(early.person('ResumeRollout').types()).toEqual([
      'RolloutResumed',
      'StepStarted',
      'SetExposure',
    ]);
  });

  it('of what is paused, and resuming what runs, change nothing', () => {
    expect(opened().person('PauseRollout').person('PauseRollout').types()).toEqual([]);
    expect(opened().person('ResumeRollout').types()).toEqual([]);
  });

  it('takes the answer that was under way', () => {
    const asked = new Story().start().held().check().person('PauseRollout');
    expect(asked.answered('SetExposure').types()).toEqual(['StageOpened']);
    expect(asked.state.status).toBe('paused');
  });
});

describe('a promotion', () => {
  it('leaves an open stage now, and opens the next without asking its sources', () => {
    const promoted = opened().check({ answer: 'down' }).person('PromoteRollout', 'robin');
    expect(promoted.types()).toEqual(['StepCompleted', 'StepStarted', 'SetExposure']);
    expect(promoted.newest('StepCompleted')).toMatchObject({ promotedBy: 'robin' });
  });

  it('is on record with what the guards said of the step that is passed over', () => {
    const promoted = opened().check({ requests: 20, errors: 1 }).person('PromoteRollout');
    expect(promoted.newest('StepCompleted')).toMatchObject({
      verdicts: [{ guard: 'error-rate', inputs: {} }, { guard: 'invariant' }],
    });
    expect(promoted.state).toMatchObject({ logEs: { 'error-rate@canary': expect.any(Number) } });
  });

  it('opens a stage that waits for its sources', () => {
    expect(new Story().start().held().person('PromoteRollout').types()).toEqual(['SetExposure']);
  });

  it('of the last stage completes the rollout', () => {
    const last = new Story([ALL]).opened().person('PromoteRollout');
    expect(last.types()).toEqual(['StepCompleted', 'RolloutCompleted', 'ReleaseFlag']);
  });

  it('is refused while paused, before the start, while a command is unanswered, and during a rollback', () => {
    const refusal = (story: Story) => story.person('PromoteRollout').types();
    expect(refusal(opened().person('PauseRollout'))).toEqual(['ROLLOUT_PAUSED']);
    expect(refusal(new Story().start())).toEqual(['ROLLOUT_NOT_PROMOTABLE']);
    expect(refusal(new Story().start().held().check())).toEqual(['ROLLOUT_NOT_PROMOTABLE']);
    expect(refusal(moving())).toEqual(['ROLLOUT_NOT_PROMOTABLE']);
    expect(refusal(opened().person('RollBack'))).toEqual(['ROLLOUT_ROLLING_BACK']);
  });
});

describe('an abort', () => {
  it('leaves the exposure as it is, frees the flag and stops the migration', () => {
    const aborted = opened().person('AbortRollout');
    expect(aborted.types()).toEqual(['RolloutAborted', 'ReleaseFlag']);
    expect(aborted.count('RestoreFlag')).toBe(0);
    expect(moving().person('AbortRollout').types()).toEqual([
      'PauseMigration',
      'RolloutAborted',
      'ReleaseFlag',
    ]);
  });

  it('ends everything: nothing that comes later changes it', () => {
    const over = opened().person('AbortRollout');
    for (const type of ['PauseRollout', 'ResumeRollout', 'PromoteRollout'] as const)
      expect(over.person(type).types()).toEqual(['ROLLOUT_ENDED']);
    expect(over.approve('review').types()).toEqual(['ROLLOUT_ENDED']);
    expect(over.person('AbortRollout').types()).toEqual([]);
    expect(over.check({ requests: 1_000, errors: 900 }).types()).toEqual([]);
  });

  it('lets a person take a failed rollback in hand', () => {
    const failed = opened().person('RollBack').answered('RestoreFlag', 'FLAG_HELD');
    expect(failed.person('AbortRollout').types()).toEqual(['RolloutAborted', 'ReleaseFlag']);
  });
});

it('is refused for a rollout that nobody started', () => {
  expect(new Story().person('RollBack').types()).toEqual(['ROLLOUT_UNKNOWN']);
});
