import { describe, expect, it } from '@jest/globals';
import { ALL, Story } from './story.memory.ts';

const stage = (more: string) => `{ stage: canary, percentage: 10, hold: 3s, deadline: 10s${more} }`;
const asks = () => new Story([stage(''), ALL]).opened();
const advances = () => new Story([stage(', atDeadline: advance'), ALL]).opened();
const few = { requests: 2 };

describe('at its deadline a step', () => {
  it('that has seen too little asks a person: it holds and pages, once', () => {
    const late = asks().checks(30, few);
    expect(late.newest('RolloutHeld')).toMatchObject({
      reason: 'deadline',
      page: true,
      message: expect.stringMatching(/^Its deadline of 10s is over\. .*Promote, roll back/),
    });
    expect(late.state).toMatchObject({ position: { index: 0, phase: 'open' } });
    const pages = late.messages.filter(({ data }) => 'page' in data && data.page);
    expect(pages).toHaveLength(1);
    expect(late.count('DeadlineMissed')).toBe(0);
  });

  it('that has not been watched for its time asks a person too', () => {
    const slow = new Story(['{ stage: canary, percentage: 10, hold: 1h, deadline: 5s }']).opened();
    expect(slow.checks(20).newest('RolloutHeld')).toMatchObject({ reason: 'deadline', page: true });
    expect(slow.count('RolloutHeld')).toBe(1);
  });

  it('goes on by itself as soon as there is enough', () => {
    const late = asks().checks(20, few);
    expect(late.check({ requests: 500 }).types()).toContain('StepCompleted');
  });

  it('goes on with what it has where the plan says so, and says that it did', () => {
    const gone = advances().checks(8, few);
    expect(gone.count('StepCompleted')).toBe(0);
    gone.checks(2, few);
    expect(gone.newest('StepCompleted')).toMatchObject({ step: 'canary', atDeadline: true });
    expect(gone.newest('SetExposure')).toMatchObject({ step: 'all' });
  });

  it.each(['down', 'empty', 'nan'] as const)(
    'never goes on while data are missing (%s): it holds with that reason, and pages',
    (answer) => {
      const blind = advances().checks(5, few).checks(60, { answer });
      expect(blind.count('StepCompleted')).toBe(0);
      expect(blind.state).toMatchObject({ status: 'holding', hold: { paged: true } });
      expect(blind.count('DeadlineMissed')).toBe(1);
    },
  );

  it('never goes on with a proven breach', () => {
    const broken = advances().checks(5, few).check({ requests: 500, errors: 200 });
    expect(broken.types()).toContain('RollbackStarted');
    expect(broken.checks(20).count('StepCompleted')).toBe(0);
  });

  it('that was asked about a step before asks again about the next one', () => {
    const second = '{ stage: all, percentage: 100, hold: 3s, deadline: 10s }';
    const late = new Story([stage(''), second]).opened().checks(20, few);
    late.person('PromoteRollout').answered('SetExposure').checks(20, few);
    const held = late.messages.flatMap(({ type, data }) =>
      type === 'RolloutHeld' && data.reason === 'deadline' ? [[data.step, data.page]] : [],
    );
    expect(held).toEqual([
      ['canary', true],
      ['all', true],
    ]);
  });
});
