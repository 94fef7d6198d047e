import { describe, expect, it } from '@jest/globals';
import { flagDefinition, segmentDefinition } from '@tidegate/contracts';
import { before, Story } from './story.memory.ts';

const BETA = { segment: 'beta' } as const;
/** `checkout-v2` has `payments` as a prerequisite and asks for the segment `beta`. */
const referring = flagDefinition.parse({
  ...before,
  prerequisites: [{ flag: 'payments', variants: ['on'] }],
  rules: [{ when: BETA, variant: 'on' }],
});
const segment = segmentDefinition.parse({ members: ['ada'] });
const onBasket = flagDefinition.parse({
  ...before,
  prerequisites: [{ flag: 'basket', variants: ['on'] }],
});

const begun = () => new Story().start().held(false, referring);
const whole = () => begun().heldToo('payments').heldToo('beta', segment);
const open = () => whole().check().answered('SetExposure');

const shown = ({ state }: Story) =>
  state.status === 'absent'
    ? []
    : (state.references ?? []).map(({ kind, key, claim }) => `${kind} ${key} ${claim.status}`);

describe('a rollout whose flag refers to others', () => {
  it('asks for each of them once its flag has told what it refers to', () => {
    const story = begun();
    expect(story.keys('HoldFlag')).toEqual(['payments']);
    expect(story.keys('HoldSegment')).toEqual(['beta']);
    expect(story.newest('HoldFlag')).toMatchObject({
      asReference: true,
      rollout: { id: 'r-1', generation: 1 },
    });
  });

  it('opens no stage before all have answered, however many checks there are', () => {
    const story = begun().heldToo('payments').checks(5);
    expect(story.state.status).toBe('pending');
    expect(story.count('SetExposure')).toBe(0);
    expect(story.heldToo('beta', segment).check().types()).toContain('SetExposure');
  });

  it('asks for what those refer to in turn, once each, also in a circle', () => {
    const inner = segmentDefinition.parse({ when: { segment: 'staff' } });
    const story = begun().heldToo('payments', onBasket);
    expect(story.keys('HoldFlag')).toEqual(['basket']);
    story.heldToo('beta', inner);
    expect(story.keys('HoldSegment')).toEqual(['staff']);
    story.heldToo('staff', segmentDefinition.parse({ when: BETA }));
    expect(story.types()).toEqual(['ReferenceHeld']);
    const back = flagDefinition.parse({
      ...before,
      prerequisites: [{ flag: 'payments', variants: ['on'] }],
    });
    story.heldToo('basket', back);
    expect(story.types()).toEqual(['ReferenceHeld', 'StepStarted']);
  });

  it('remembers which version of each it relies on', () => {
    const { state } = whole();
    expect(state).toMatchObject({
      references: [
        { key: 'payments', revision: { epoch: 1, version: expect.any(Number) } },
        { key: 'beta', revision: { epoch: 1, version: expect.any(Number) } },
      ],
    });
  });

  it('takes what is answered twice, or from another generation, once', () => {
    const story = whole();
    expect(story.heldToo('payments', onBasket).types()).toEqual([]);
    const late = begun().hears('FlagHeld', {
      key: 'payments',
      definition: before,
      disabled: false,
      rollout: { id: 'r-1', generation: 7 },
    });
    expect(late.types()).toEqual([]);
  });

  it('is no different for a flag that refers to nothing', () => {
    const story = new Story().start().held();
    expect(story.types()).toEqual(['FlagClaimed', 'StepStarted']);
  });

  it('asks again for what has expired on its way', () => {
    const story = begun().refusedToo('HoldSegment', 'beta', 'COMMAND_EXPIRED');
    expect(story.keys('HoldSegment')).toEqual(['beta']);
    expect(story.state.status).toBe('pending');
    story.refusedToo('HoldFlag', 'payments', 'COMMAND_EXPIRED');
    expect(story.heldToo('payments').heldToo('beta', segment).types()).toContain('StepStarted');
  });

  it('pages when one does not answer, by name, once each', () => {
    const story = begun().heldToo('payments').checks(12);
    expect(story.newest('DeadlineMissed')).toMatchObject({
      what: 'HoldSegment of beta was not answered',
    });
    expect(story.count('DeadlineMissed')).toBe(1);
  });
});

describe('a reference that cannot be relied on', () => {
  it.each([
    ['another rollout changes it', 'HoldFlag', 'payments', 'FLAG_HELD', 'flag payments'],
    ['there is no such segment', 'HoldSegment', 'beta', 'SEGMENT_UNKNOWN', 'segment beta'],
  ] as const)(
    '%s: the rollout ends, says which and why, and lets go of all',
    (_because, command, key, code, named) => {
      const story = begun().refusedToo(command, key, code);
      expect(story.types().filter((type) => !type.startsWith('Release'))).toEqual([
        'ReferenceRefused',
        'RolloutAborted',
      ]);
      expect(story.newest('RolloutAborted')).toMatchObject({
        reason: expect.stringContaining(`refers to ${named} in production`),
      });
      expect(story.newest('RolloutAborted')).toMatchObject({
        reason: expect.stringContaining(code),
      });
      expect(story.keys('ReleaseFlag')).toEqual(['checkout-v2', 'payments']);
      expect(story.keys('ReleaseSegment')).toEqual(['beta']);
    },
  );

  it('holds a rollout that has begun, and pages', () => {
    const story = open()
      .hears('FlagReleased', { key: 'payments', reason: 'mine', rollouts: [{ id: 'r-1' }] })
      .person('ResumeRollout')
      .refusedToo('HoldFlag', 'payments', 'FLAG_HELD');
    expect(story.newest('RolloutHeld')).toMatchObject({
      reason: 'reference-not-held',
      message: expect.stringContaining('payments could not be held again. FLAG_HELD'),
      page: true,
    });
    expect(story.person('ResumeRollout').keys('HoldFlag')).toEqual(['payments']);
  });
});

it('a flag that was released, and taken by another rollout before this one began: it ends, and lets go', () => {
  const story = begun()
    .hears('FlagReleased', { reason: 'mine' })
    .person('ResumeRollout')
    .answered('HoldFlag', 'FLAG_HELD', 2);
  expect(story.state.status).toBe('aborted');
  expect(story.keys('ReleaseFlag')).toEqual(['payments']);
  expect(story.keys('ReleaseSegment')).toEqual(['beta']);
});

describe('somebody else at what a rollout relies on', () => {
  const disabled = { by: 'robin', reason: 'payments are down', at: 1 };

  it('disables it: the rollout pauses and says which it was', () => {
    const story = open().hears('FlagDisabled', { key: 'payments', disabled });
    expect(story.types()).toEqual(['ReferenceObserved', 'RolloutPaused']);
    expect(story.newest('RolloutPaused')).toMatchObject({
      by: 'robin',
      reason: 'flag payments, which checkout-v2 refers to, was disabled: payments are down',
    });
  });

  it('is not resumed while that is disabled, and says what to do', () => {
    const story = open()
      .hears('FlagDisabled', { key: 'payments', disabled })
      .person('ResumeRollout');
    expect(story.last).toMatchObject({
      code: 'ROLLOUT_FLAG_DISABLED',
      message: expect.stringContaining('payments is disabled. Release it'),
    });
  });

  it('goes on once it was released, enabled and held again; the open stage opens once more', () => {
    const story = open()
      .hears('FlagDisabled', { key: 'payments', disabled })
      .hears('FlagReleased', { key: 'payments', reason: 'fixing it' })
      .person('ResumeRollout');
    expect(story.keys('HoldFlag')).toEqual(['payments']);
    story.heldToo('payments').check();
    expect(story.types()).toContain('SetExposure');
    expect(story.answered('SetExposure').types()).toContain('StageOpened');
  });

  it('frees it: the rollout pauses, and its time does not count', () => {
    const story = open().hears('SegmentReleased', {
      key: 'beta',
      reason: 'mine now',
      rollout: undefined,
      rollouts: [{ id: 'r-0' }, { id: 'r-1' }],
    });
    expect(story.newest('RolloutPaused')).toMatchObject({
      reason: 'segment beta, which checkout-v2 refers to, was released: mine now',
    });
    expect(shown(story)).toEqual(['flag payments held', 'segment beta lost']);
  });

  it('frees it of another rollout: that is no concern of this one', () => {
    const story = open().hears('FlagReleased', {
      key: 'payments',
      reason: 'over',
      rollout: { id: 'r-2', generation: 1 },
    });
    expect(story.types()).toEqual([]);
  });

  it('had disabled it before the rollout began: no stage opens, and a person is paged in time', () => {
    const story = begun().heldToo('payments', before, true).heldToo('beta', segment).checks(12);
    expect(story.count('SetExposure')).toBe(0);
    expect(story.newest('RolloutHeld')).toMatchObject({
      reason: 'reference-disabled',
      message: 'payments, which checkout-v2 refers to, is disabled: no stage can open.',
      page: true,
    });
  });

  it('has edited the flag while it was released: it holds what it refers to now, and lets go of the rest', () => {
    const story = open()
      .hears('FlagReleased', { reason: 'mine' })
      .person('ResumeRollout')
      .held(false, onBasket);
    expect(story.keys('HoldFlag')).toEqual(['basket']);
    expect(story.keys('ReleaseFlag')).toEqual(['payments']);
    expect(story.keys('ReleaseSegment')).toEqual(['beta']);
    expect(shown(story)).toEqual(['flag basket asked']);
    expect(story.heldToo('basket').check().types()).toContain('SetExposure');
  });
});

describe('the end of a rollout', () => {
  const lettingGo = (story: Story) => ({
    flags: story.keys('ReleaseFlag'),
    segments: story.keys('ReleaseSegment'),
  });
  const all = { flags: ['checkout-v2', 'payments'], segments: ['beta'] };

  it('lets go of all when it is completed', () => {
    const story = new Story(['{ stage: all, percentage: 100, hold: 3s }'])
      .start()
      .held(false, referring)
      .heldToo('payments')
      .heldToo('beta', segment)
      .check()
      .answered('SetExposure')
      .checks(4);
    expect(story.state.status).toBe('completed');
    expect(lettingGo(story)).toEqual(all);
  });

  it('lets go of all when it is aborted, also before it has begun', () => {
    expect(lettingGo(open().person('AbortRollout'))).toEqual(all);
    expect(lettingGo(begun().person('AbortRollout'))).toEqual(all);
  });

  it('lets go of all once the flag is restored, in the later generation, and not before', () => {
    const story = open().person('RollBack');
    expect(lettingGo(story)).toEqual({ flags: [], segments: [] });
    story.answered('RestoreFlag');
    expect(lettingGo(story)).toEqual(all);
    expect(story.newest('ReleaseFlag')).toMatchObject({ rollout: { id: 'r-1', generation: 2 } });
  });

  it('lets go of all when a failed rollback is given up', () => {
    const story = open().person('RollBack').answered('RestoreFlag', 'FLAG_TOO_LARGE');
    expect(story.state.status).toBe('failed');
    expect(lettingGo(story.person('AbortRollout'))).toEqual(all);
  });

  it('leaves on record what it relied on', () => {
    expect(shown(open().person('AbortRollout'))).toEqual([
      'flag payments held',
      'segment beta held',
    ]);
  });
});

it('an older backup of the store: it asks for all again when a person resumes', () => {
  const story = open().tell({ type: 'StoreRestored', data: { epoch: 2 } });
  expect(shown(story)).toEqual(['flag payments lost', 'segment beta lost']);
  story.person('ResumeRollout');
  expect(story.keys('HoldFlag')).toEqual(['checkout-v2', 'payments']);
  expect(story.keys('HoldSegment')).toEqual(['beta']);
});
