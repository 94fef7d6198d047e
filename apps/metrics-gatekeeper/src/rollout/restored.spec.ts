import { describe, expect, it } from '@jest/globals';
import { ALL, before, CANARY, Story } from './story.memory.ts';

const MIGRATE = '{ migrate: order-totals, action: execute, batchSize: 200 }';
const restored = (story: Story) =>
  story.tell({ type: 'StoreRestored', data: { epoch: 2 } }, 'metrics-gatekeeper');
const at = (percentage: number, disabled = false) => ({
  definition: { ...before, exposure: { variant: 'on', percentage } },
  disabled,
});

describe('a rollout of a restored backup', () => {
  const paused = () => restored(new Story().opened());

  it('is paused by the gatekeeper, with a named reason for people to act on', () => {
    expect(paused().state).toMatchObject({ status: 'paused', by: 'metrics-gatekeeper' });
    expect(paused().newest('RolloutPaused')).toMatchObject({
      because: 'store-restored',
      reason: expect.stringMatching(/^store-restored \(epoch 2\): .*resume, roll back or abort/),
    });
    expect(restored(new Story().start()).state.status).toBe('paused');
  });

  it('is not rolled back on what was counted before, nor goes on, until a person says so', () => {
    const left = paused().check({ errors: 100 }).checks(100, { errors: 100 });
    expect(left.types()).toEqual([]);
    expect(left.state.status).toBe('paused');
  });

  it('asks for its flag again when it is resumed, and goes on where it is still held', () => {
    const resumed = paused().person('ResumeRollout');
    expect(resumed.types()).toEqual(['RolloutResumed', 'HoldFlag']);
    expect(resumed.newest('HoldFlag')).toMatchObject({
      tellAgain: true,
      rollout: { generation: 1 },
    });
    expect(resumed.hears('FlagHeld', at(10_000)).types()).toEqual(['FlagClaimed']);
    expect(resumed.checks(4).types()).toContain('StepCompleted');
  });

  it('opens its stage anew where the flag was put back meanwhile', () => {
    const resumed = paused().person('ResumeRollout').hears('FlagHeld', at(1_000));
    expect(resumed.check().types()).toEqual(['SetExposure']);
  });

  it('takes nobody the new code away that got it meanwhile: a person decides', () => {
    const resumed = paused().person('ResumeRollout').hears('FlagHeld', at(50_000));
    expect(resumed.state).toMatchObject({ hold: { reason: 'exposure-would-shrink' } });
  });

  it('holds where the flag was disabled meanwhile', () => {
    const resumed = paused().person('ResumeRollout').hears('FlagHeld', at(10_000, true));
    expect(resumed.state).toMatchObject({ status: 'holding', hold: { reason: 'flag-disabled' } });
  });

  it('says what is refused when the flag is held by a newer generation of it, and can be rolled back', () => {
    const refused = paused().person('ResumeRollout').answered('HoldFlag', 'GENERATION_OLD');
    expect(refused.state).toMatchObject({
      status: 'holding',
      hold: {
        reason: 'flag-not-held',
        message: expect.stringContaining('GENERATION_OLD'),
        paged: true,
      },
    });
    const back = refused.person('RollBack');
    expect(back.newest('RestoreFlag')).toMatchObject({ rollout: { generation: 2 } });
    expect(back.answered('RestoreFlag').state.status).toBe('rolled-back');
  });

  it('fails a rollback that the flag refuses, and reaches the flag’s generation with the next one', () => {
    const failed = paused().person('RollBack').answered('RestoreFlag', 'GENERATION_OLD');
    expect(failed.state).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('GENERATION_OLD'),
    });
    const again = failed.person('RollBack');
    expect(again.newest('RestoreFlag')).toMatchObject({ rollout: { generation: 3 } });
    expect(again.answered('RestoreFlag').state.status).toBe('rolled-back');
  });

  it('can be aborted', () => {
    expect(paused().person('AbortRollout').state.status).toBe('aborted');
  });

  it('is as little known when a person had paused it', () => {
    const twice = restored(new Story().opened().person('PauseRollout'));
    expect(twice.state).toMatchObject({ status: 'paused', by: 'metrics-gatekeeper' });
    expect(twice.person('ResumeRollout').types()).toEqual(['RolloutResumed', 'HoldFlag']);
  });
});

describe('what a rollout had asked before the backup', () => {
  it('is asked again: an exposure', () => {
    const opening = restored(new Story([CANARY, ALL]).start().held().check());
    const held = opening.person('ResumeRollout').hears('FlagHeld', at(1_000));
    expect(held.check().types()).toEqual(['SetExposure']);
  });

  it('is asked again: the flag itself', () => {
    const asked = restored(new Story().start()).person('ResumeRollout');
    expect(asked.types()).toEqual(['RolloutResumed', 'HoldFlag']);
    expect(asked.held().types()).toEqual(['FlagClaimed', 'StepStarted']);
  });

  const moving = () =>
    new Story([MIGRATE, CANARY]).start().held().answered('RunMigration').hears('MigrationStarted');

  it('goes on with the same migration run, or another one where it is over or unknown', () => {
    const paused = restored(moving());
    expect(paused.types()).toEqual(['RolloutPaused', 'PauseMigration']);
    const resumed = paused
      .hears('MigrationPaused', { by: 'x', reason: 'y' })
      .person('ResumeRollout');
    expect(resumed.types()).toEqual(['RolloutResumed', 'HoldFlag', 'ResumeMigration']);
    expect(resumed.newest('ResumeMigration')).toMatchObject({ run: 'r-1.0.0' });
    const over = resumed.held().answered('ResumeMigration', 'RUN_UNKNOWN');
    expect(over.state).toMatchObject({ hold: { reason: 'migration-refused' } });
    expect(over.person('ResumeRollout').newest('RunMigration')).toMatchObject({ run: 'r-1.0.1' });
  });

  it('ends a rollback that nobody answers any more as failed, to be rolled back again', () => {
    const rolling = restored(new Story().opened().person('RollBack'));
    expect(rolling.types()).toEqual([]);
    expect(rolling.checks(11).state.status).toBe('failed');
    expect(rolling.person('RollBack').answered('RestoreFlag').state.status).toBe('rolled-back');
  });
});
