import { describe, expect, it } from '@jest/globals';
import { ALL, before, CANARY, Story } from './story.memory.ts';

const story = (...parameters: ConstructorParameters<typeof Story>) => new Story(...parameters);
/** The flag as the first stage leaves it. */
const atCanary = { ...before, exposure: { variant: 'on', percentage: 10_000 } };

describe('a start', () => {
  it('pins plan, risk and shares, and asks for the flag', () => {
    const begun = story().start();
    expect(begun.types()).toEqual(['RolloutStarted', 'HoldFlag']);
    expect(begun.newest('RolloutStarted')).toMatchObject({
      rollout: 'r-1',
      planVersion: 3,
      planHash: 'sha256:1',
      risk: 0.01,
      shares: { 'error-rate@canary': 0.5, 'error-rate@all': 0.5 },
      startedBy: 'alex',
    });
    expect(begun.newest('HoldFlag')).toEqual({
      environment: 'production',
      key: 'checkout-v2',
      rollout: { id: 'r-1', generation: 1 },
    });
    expect(begun.state).toMatchObject({ status: 'pending' });
  });

  it('is one rollout, however often it is asked for', () => {
    expect(story().start().start().types()).toEqual([]);
    expect(story().opened().start().types()).toEqual([]);
  });

  it('is refused for the reason why there is no plan', () => {
    expect(story().start('nothing').types()).toEqual(['PLAN_UNKNOWN']);
  });

  it('ends with the reason when the flag cannot be held, having changed nothing', () => {
    const refused = story().start().answered('HoldFlag', 'FLAG_HELD');
    expect(refused.types()).toEqual(['RolloutAborted']);
    expect(refused.newest('RolloutAborted')).toMatchObject({
      reason:
        'It could not begin, and nothing was changed: flag-service does not let it have checkout-v2 in production. FLAG_HELD: because',
    });
    expect(refused.state.status).toBe('aborted');
  });

  it('asks again when its question expired on the way', () => {
    const expired = story().start().answered('HoldFlag', 'COMMAND_EXPIRED');
    expect(expired.types()).toEqual(['HoldFlag']);
    expect(expired.held().state.status).toBe('running');
  });

  it('pages once when nobody answers', () => {
    const silent = story().start().checks(9);
    expect(silent.count('DeadlineMissed')).toBe(0);
    expect(silent.checks(5).count('DeadlineMissed')).toBe(1);
    expect(silent.newest('DeadlineMissed')).toMatchObject({
      what: 'HoldFlag was not answered',
      deadlineMs: 10_000,
    });
  });
});

describe('a stage', () => {
  it('opens behind a check that answers, not before', () => {
    const reached = story().start().held();
    expect(reached.types()).toEqual(['FlagClaimed', 'StepStarted']);
    expect(reached.check().types()).toEqual(['SetExposure']);
    expect(reached.newest('SetExposure')).toMatchObject({
      step: 'canary',
      percentage: 10_000,
      rollout: { id: 'r-1', generation: 1 },
    });
  });

  it('opens at once where the plan has no guards', () => {
    expect(story([CANARY], '').start().held().types()).toEqual([
      'FlagClaimed',
      'StepStarted',
      'SetExposure',
    ]);
  });

  it('opens before its series exist, as the first request makes them', () => {
    expect(story().start().held().check({ answer: 'empty' }).types()).toEqual(['SetExposure']);
  });

  it('stays closed while its source does not answer, and says so', () => {
    const blind = story().start().held().check({ answer: 'down' });
    expect(blind.types()).toEqual(['RolloutHeld']);
    expect(blind.newest('RolloutHeld')).toMatchObject({ reason: 'query-error', page: false });
    blind.checks(100, { answer: 'down' });
    expect(blind.count('SetExposure')).toBe(0);
    expect(blind.check().types()).toEqual(['SetExposure', 'RolloutResumed']);
  });

  it('is left when its time is covered and the evidence suffices, and the next one opens at once', () => {
    const open = story().opened().checks(3);
    expect(open.types()).toEqual([]);
    expect(open.check().types()).toEqual(['StepCompleted', 'StepStarted', 'SetExposure']);
    expect(open.newest('StepCompleted')).toMatchObject({
      step: 'canary',
      coveredMs: 3_000,
      verdicts: [{ outcome: 'pass' }, { outcome: 'pass' }],
    });
    expect(open.newest('SetExposure')).toMatchObject({ step: 'all', percentage: 100_000 });
  });

  it('is the last one: the rollout completes and frees the flag', () => {
    const done = story().opened().checks(4).answered('SetExposure').checks(4);
    expect(done.types()).toEqual(['StepCompleted', 'RolloutCompleted', 'ReleaseFlag']);
    expect(done.state.status).toBe('completed');
    expect(done.checks(3).types()).toEqual([]);
  });

  it('does not take the late answer to an earlier stage for its own', () => {
    const second = story().opened().checks(4).answered('SetExposure', undefined, 0);
    expect(second.types()).toEqual([]);
    expect(second.state).toMatchObject({ position: { phase: 'opening' } });
    expect(second.answered('SetExposure').types()).toEqual(['StageOpened']);
  });

  it('is asked for again when the command expired, and either answer counts', () => {
    const again = story().start().held().check().answered('SetExposure', 'COMMAND_EXPIRED');
    expect(again.types()).toEqual(['SetExposure']);
    expect(again.answered('SetExposure', undefined, 0).types()).toEqual(['StageOpened']);
  });

  it('holds and pages when its command is refused; a person sends it again', () => {
    const refused = story().start().held().check().answered('SetExposure', 'FLAG_DISABLED');
    expect(refused.types()).toEqual(['StepRefused', 'RolloutHeld']);
    expect(refused.newest('RolloutHeld')).toMatchObject({ reason: 'exposure-refused', page: true });
    expect(refused.checks(20).count('RolloutHeld')).toBe(1);
    expect(refused.person('ResumeRollout').types()).toEqual(['RolloutResumed', 'SetExposure']);
    expect(refused.answered('SetExposure').types()).toEqual(['StageOpened']);
  });
});

describe('no rollout advances', () => {
  it.each([
    ['while its source is down', { answer: 'down' }, 'query-error'],
    ['while its series are not there', { answer: 'empty' }, 'empty'],
    ['on values that are no counts', { answer: 'nan' }, 'nan'],
  ] as const)('%s: it holds with the reason, and pages once', (_when, found, reason) => {
    const blind = story().opened().checks(100, found);
    expect(blind.state).toMatchObject({ status: 'holding', position: { index: 0, phase: 'open' } });
    expect(blind.newest('RolloutHeld')).toMatchObject({ reason, page: true });
    expect(blind.count('RolloutHeld')).toBe(2);
    expect(blind.count('StepCompleted')).toBe(0);
  });

  it('goes on by itself when data come back, and the time without them did not count', () => {
    const back = story().opened().checks(1).checks(60, { answer: 'down' }).check();
    expect(back.types()).toEqual(['RolloutResumed']);
    expect(back.checks(2).count('StepCompleted')).toBe(0);
    expect(back.check().types()).toContain('StepCompleted');
  });

  it('on counts that come and contradict each other, and pages', () => {
    const odd = story().opened().check();
    const { evidence } = odd;
    const guard = evidence?.guards['error-rate'];
    if (!evidence || !guard) throw new Error('nothing was counted');
    const impossible = {
      ...guard,
      windows: { widthMs: 1_000, newest: 0, rows: [[0, 10, 5] as const] },
    };
    for (let second = 0; second < 20; second += 1) {
      odd.now += 1_000;
      const fresh = { ...impossible, lastSuccessAt: odd.now };
      const guards = { ...evidence.guards, 'error-rate': fresh };
      const data = { evidence: { ...evidence, guards, lastSuccessAt: odd.now } };
      odd.tell({ type: 'Tick', data });
    }
    expect(odd.newest('RolloutHeld')).toMatchObject({
      reason: 'more-errors-than-requests',
      page: true,
    });
    expect(odd.count('RolloutHeld')).toBe(2);
  });

  it('without any request: it waits, holds once its time is over, and pages later', () => {
    const idle = story().opened().checks(3, { requests: 0 });
    expect(idle.count('RolloutHeld')).toBe(0);
    idle.check({ requests: 0 });
    expect(idle.newest('RolloutHeld')).toMatchObject({ reason: 'no-requests', page: false });
    expect(idle.checks(20, { requests: 0 }).newest('RolloutHeld')).toMatchObject({ page: true });
    expect(idle.count('StepCompleted')).toBe(0);
  });

  it('before there were enough requests', () => {
    const few = story().opened().checks(10, { requests: 10 });
    expect(few.newest('RolloutHeld')).toMatchObject({ reason: 'too-few-requests', page: false });
    expect(few.check({ requests: 200 }).types()).toEqual([
      'StepCompleted',
      'StepStarted',
      'SetExposure',
    ]);
  });

  it('on time that a pause covers', () => {
    const paused = story().opened().check().person('PauseRollout').checks(50);
    expect(paused.count('StepCompleted')).toBe(0);
    paused.person('ResumeRollout').checks(2);
    expect(paused.count('StepCompleted')).toBe(0);
    expect(paused.check().types()).toContain('StepCompleted');
  });

  it('on time in which its flag is not held for it: another rollout may have it', () => {
    const refused = story().opened().check().hears('FlagReleased', { reason: 'mine' }, 'admin');
    refused.person('ResumeRollout').answered('HoldFlag', 'FLAG_HELD').checks(50);
    expect(refused.newest('RolloutHeld')).toMatchObject({ reason: 'flag-not-held' });
    refused.person('ResumeRollout').hears('FlagHeld', { definition: atCanary, disabled: false });
    expect(refused.checks(2).count('StepCompleted')).toBe(0);
    expect(refused.check().types()).toContain('StepCompleted');
  });

  it('on time in which its flag is disabled: nobody is served the new code', () => {
    const off = story().opened().check().hears('FlagReleased', { reason: 'mine' }, 'admin');
    off.person('ResumeRollout').hears('FlagHeld', { definition: atCanary, disabled: true });
    off.checks(50).hears('FlagEnabled', { rollout: undefined });
    expect(off.types()).toEqual(['FlagObserved', 'RolloutResumed']);
    expect(off.checks(2).count('StepCompleted')).toBe(0);
    expect(off.check().types()).toContain('StepCompleted');
  });

  it('on time between checks that are too far apart', () => {
    const gaps = story().opened();
    for (let count = 0; count < 30; count += 1) gaps.check({}, 3_001);
    expect(gaps.count('StepCompleted')).toBe(0);
  });
});

describe('a flag that somebody else touches', () => {
  it('pauses the rollout in their name when it is disabled', () => {
    const disabled = { disabled: { reason: 'checkout is down', at: 1, by: 'robin' } };
    const paused = story()
      .opened()
      .hears('FlagDisabled', { ...disabled, rollout: undefined });
    expect(paused.types()).toEqual(['FlagObserved', 'RolloutPaused']);
    expect(paused.newest('RolloutPaused')).toMatchObject({
      by: 'robin',
      reason: 'checkout-v2 was disabled: checkout is down',
    });
    expect(paused.person('ResumeRollout').types()).toEqual(['ROLLOUT_FLAG_DISABLED']);
  });

  it('is held again after an admin released it, and a rollback still knows how it first was', () => {
    const released = story().opened().hears('FlagReleased', { reason: 'mine' }, 'admin');
    expect(released.types()).toEqual(['FlagObserved', 'RolloutPaused']);
    expect(released.person('ResumeRollout').types()).toContain('HoldFlag');
    const changed = { ...before, exposure: { variant: 'on', percentage: 70_000 } };
    released.hears('FlagHeld', { definition: changed, disabled: false });
    expect(released.person('RollBack').newest('RestoreFlag')).toMatchObject({ definition: before });
  });

  it('opens its stage once more when users were moved while nobody held it', () => {
    const released = story().opened().hears('FlagReleased', { reason: 'mine' }, 'admin');
    released.person('ResumeRollout');
    const closed = { ...before, exposure: { variant: 'on', percentage: 0 } };
    released.hears('FlagHeld', { definition: closed, disabled: false });
    expect(released.check().types()).toEqual(['SetExposure']);
    expect(released.answered('SetExposure').types()).toEqual(['StageOpened']);
    const wider = { ...before, exposure: { variant: 'on', percentage: 70_000 } };
    const held = released.hears('FlagReleased', { reason: 'mine' }, 'admin');
    held.person('ResumeRollout').hears('FlagHeld', { definition: wider, disabled: false });
    expect(held.newest('RolloutHeld')).toMatchObject({ reason: 'exposure-would-shrink' });
  });

  it('asks for nothing but the flag until it is held again: others may have opened it further', () => {
    const refused = story().start().held().check();
    refused.hears('FlagReleased', { reason: 'mine' }, 'admin').answered('SetExposure', 'FLAG_HELD');
    refused.person('ResumeRollout');
    expect(refused.types()).toEqual(['RolloutResumed', 'HoldFlag']);
    const wider = { ...before, exposure: { variant: 'on', percentage: 70_000 } };
    refused.hears('FlagHeld', { definition: wider, disabled: false });
    expect(refused.newest('RolloutHeld')).toMatchObject({ reason: 'exposure-would-shrink' });
    expect(refused.checks(5).count('SetExposure')).toBe(1);
  });

  it('goes on with its stage when nobody moved users meanwhile', () => {
    const released = story().opened().hears('FlagReleased', { reason: 'mine' }, 'admin');
    released.person('ResumeRollout');
    released.hears('FlagHeld', { definition: atCanary, disabled: false });
    expect(released.types()).toEqual(['FlagClaimed']);
    expect(released.check().count('SetExposure')).toBe(1);
  });

  it('is not opened when it was disabled at the start, until it is enabled', () => {
    const off = story().start().held(true);
    expect(off.types()).toEqual(['FlagClaimed', 'StepStarted', 'RolloutHeld']);
    expect(off.newest('RolloutHeld')).toMatchObject({ reason: 'flag-disabled', page: false });
    expect(off.checks(12).count('SetExposure')).toBe(0);
    expect(off.newest('RolloutHeld')).toMatchObject({ reason: 'flag-disabled', page: true });
    off.hears('FlagEnabled', { rollout: undefined });
    expect(off.types()).toEqual(['FlagObserved', 'RolloutResumed']);
    expect(off.check().types()).toEqual(['SetExposure']);
  });
});

describe('a stage that would take users out', () => {
  const widened = { ...before, exposure: { variant: 'on', percentage: 50_000 } };
  const wide = () =>
    story([CANARY, ALL]).start().hears('FlagHeld', { definition: widened, disabled: false });

  it('is not opened: the rollout holds, and pages', () => {
    const held = wide();
    expect(held.types()).toEqual(['FlagClaimed', 'StepStarted', 'RolloutHeld']);
    expect(held.newest('RolloutHeld')).toMatchObject({
      reason: 'exposure-would-shrink',
      message:
        'checkout-v2 is at 50 %, more than stage canary opens; promote to pass over it, or abort.',
      page: true,
    });
    expect(held.checks(20).count('SetExposure')).toBe(0);
  });

  it('is passed over by a promotion', () => {
    const promoted = wide().person('PromoteRollout');
    expect(promoted.types()).toEqual(['StepCompleted', 'StepStarted', 'SetExposure']);
    expect(promoted.newest('SetExposure')).toMatchObject({ step: 'all', percentage: 100_000 });
  });

  it('may name another variant: that one begins with nobody', () => {
    const other = '{ stage: canary, percentage: 10, variant: off, hold: 3s }';
    const held = story([other]).start();
    held.hears('FlagHeld', { definition: widened, disabled: false });
    expect(held.check().types()).toEqual(['SetExposure']);
  });

  it('keeps the users that the flag and its former stages allow', () => {
    const steps = ['{ stage: a, users: [ann], hold: 0s }', '{ stage: b, users: [bob], hold: 0s }'];
    const allowed = { ...before, allowedUsers: ['zoe'] };
    const open = story(steps, '').start();
    open.hears('FlagHeld', { definition: allowed, disabled: false });
    expect(open.newest('SetExposure')).toMatchObject({ allowedUsers: ['zoe', 'ann'] });
    open.answered('SetExposure').checks(2);
    expect(open.newest('SetExposure')).toMatchObject({ allowedUsers: ['zoe', 'ann', 'bob'] });
  });
});

describe('every later stage', () => {
  it('has evidence of its own, and counts nothing of the stage before', () => {
    const second = story([CANARY, ALL]).opened().checks(4).answered('SetExposure').check();
    expect(second.evidence).toMatchObject({ stage: 'all' });
    const [errorRate] = Object.values(second.evidence?.guards ?? {});
    expect(errorRate?.windows?.rows).toEqual([[1, 0, 100]]);
  });
});

describe('a stage that closes if nobody looks after it', () => {
  const WATCHED = '{ stage: canary, percentage: 10, hold: 3s, closeIfSilentFor: 10m }';
  const reason =
    'metrics-gatekeeper has not looked after rollout r-1 for 10m; stage canary closes itself';
  const opened = () => story([WATCHED, ALL]).opened();

  it('is opened with that wish, and the next one without', () => {
    expect(opened().newest('SetExposure')).toMatchObject({ closeIfSilentMs: 600_000 });
    const next = opened().checks(4);
    expect(next.newest('SetExposure')).toMatchObject({ step: 'all' });
    expect(next.newest('SetExposure')).not.toHaveProperty('closeIfSilentMs');
  });

  it('pauses its rollout when it has closed itself, and says why', () => {
    const closed = opened().hears('FlagDisabled', {
      disabled: { by: 'flag-service', reason, at: 1 },
    });
    expect(closed.types()).toEqual(['FlagObserved', 'RolloutPaused']);
    expect(closed.newest('RolloutPaused')).toMatchObject({
      by: 'flag-service',
      reason: `checkout-v2 was disabled: ${reason}`,
    });
    expect(closed.person('ResumeRollout').types()).toEqual(['ROLLOUT_FLAG_DISABLED']);
  });

  it('has the wish again when a person opens it again: its flag is held anew, and no exposure is sent', () => {
    const again = opened()
      .hears('FlagDisabled', { disabled: { by: 'flag-service', reason, at: 1 } })
      .hears('FlagReleased', { reason: 'looked at it' })
      .hears('FlagEnabled', { reason: 'nothing was wrong' })
      .person('ResumeRollout');
    expect(again.newest('HoldFlag')).toMatchObject({ closeIfSilentMs: 600_000 });
    const at10 = { ...before, exposure: { variant: 'on', percentage: 10_000 } };
    const held = again.hears('FlagHeld', { definition: at10, disabled: false });
    expect(held.check().count('SetExposure')).toBe(1);
  });
});
