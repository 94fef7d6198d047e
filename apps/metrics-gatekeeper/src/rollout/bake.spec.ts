import { describe, expect, it } from '@jest/globals';
import { ALL, before, CANARY, GUARDS, Story } from './story.memory.ts';

const BAKE = '{ bake: overnight, hold: 5s }';
const at = (percentage: number) => ({ ...before, exposure: { variant: 'on', percentage } });
/** Up to the bake being begun. */
const baking = (steps = [ALL, BAKE], guards = GUARDS) =>
  new Story(steps, guards).opened().checks(4).answered('SetExposure');

describe('a bake', () => {
  it('asks for the exposure that there is, under its own name, and counts from the answer on', () => {
    const begun = new Story([CANARY, BAKE, ALL]).opened().checks(4);
    expect(begun.types()).toEqual(['StepCompleted', 'StepStarted', 'SetExposure']);
    expect(begun.newest('StepStarted')).toMatchObject({ step: 'overnight', kind: 'bake' });
    expect(begun.newest('SetExposure')).toMatchObject({ step: 'overnight', percentage: 10_000 });
    expect(begun.answered('SetExposure').newest('StageOpened')).toMatchObject({
      step: 'overnight',
    });
    expect(begun.check().evidence).toMatchObject({ stage: 'overnight' });
  });

  it('is left once its time is covered, and the rollout completes', () => {
    const done = baking().checks(5);
    expect(done.count('RolloutCompleted')).toBe(0);
    expect(done.check().types()).toEqual(['StepCompleted', 'RolloutCompleted', 'ReleaseFlag']);
    expect(done.newest('StepCompleted')).toMatchObject({ kind: 'bake', coveredMs: 5_000 });
  });

  it('has evidence and a share of the risk of its own, and its breach rolls back', () => {
    const begun = baking();
    expect(begun.newest('RolloutStarted')).toMatchObject({
      shares: { 'error-rate@all': 0.5, 'error-rate@overnight': 0.5 },
    });
    const broken = begun.check({ requests: 1_000, errors: 100 });
    expect(broken.types()).toContain('RollbackStarted');
    expect(broken.newest('ThresholdBreached')).toMatchObject({ labels: { stage: 'overnight' } });
    expect(broken.newest('RestoreFlag')).toMatchObject({ definition: before });
  });

  it('holds without data, and never ends in the dark', () => {
    const blind = baking().checks(100, { answer: 'down' });
    expect(blind.newest('RolloutHeld')).toMatchObject({ reason: 'query-error', page: true });
    expect(blind.count('RolloutCompleted')).toBe(0);
  });

  it('puts the exposure right first where somebody moved users while nobody held the flag', () => {
    const moved = baking().check().hears('FlagReleased', { reason: 'mine' }, 'admin');
    moved.person('ResumeRollout').hears('FlagHeld', { definition: at(20_000), disabled: false });
    expect(moved.check().newest('SetExposure')).toMatchObject({
      step: 'overnight',
      percentage: 100_000,
    });
    expect(moved.answered('SetExposure').types()).toEqual(['StageOpened']);
  });

  it('after a stage that closes when nobody looks is closed as well', () => {
    const steps = ['{ stage: all, percentage: 100, hold: 3s, closeIfSilentFor: 10m }', BAKE];
    expect(baking(steps).newest('SetExposure')).toMatchObject({
      step: 'overnight',
      closeIfSilentMs: 600_000,
    });
  });

  it('is passed over by a promotion', () => {
    expect(baking().person('PromoteRollout').types()).toEqual([
      'StepCompleted',
      'RolloutCompleted',
      'ReleaseFlag',
    ]);
  });
});
