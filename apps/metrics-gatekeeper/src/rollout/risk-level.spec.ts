import { describe, expect, it } from '@jest/globals';
import { ALL, CANARY, GUARDS, Story } from './story.memory.ts';

const APPROVE = '{ approve: review }';
/** Goes on with 5 % of requests failing where 1 % are allowed, until the score has come to its upper level. */
function risen(risky: Story): Story {
  for (let tries = 0; tries < 200 && !told(risky).includes('RiskLevelReached hold'); tries += 1)
    risky.check({ requests: 20, errors: 1 });
  return risky;
}
const story = (guards = GUARDS, steps = [CANARY, ALL]) => new Story(steps, guards);
const told = ({ messages }: Story) =>
  messages.flatMap(({ type, data }) =>
    type === 'RiskLevelReached' || type === 'RiskLevelLeft' ? [`${type} ${data.level}`] : [],
  );

describe('the score of risk', () => {
  it('that comes to a level is told once, with the verdicts it rests on', () => {
    const risky = risen(story().opened());
    expect(told(risky)).toEqual(['RiskLevelReached notify', 'RiskLevelReached hold']);
    expect(risky.newest('RiskLevelReached')).toMatchObject({
      step: 'canary',
      threshold: 20,
      message: expect.stringMatching(
        /^The risk score is \d+, hold from 20\. error-rate: .*\d+ of \d+ requests failed/,
      ),
      verdicts: [{ guard: 'error-rate' }, { guard: 'invariant' }],
    });
    risky.checks(2, { requests: 5 });
    expect(told(risky)).toHaveLength(2);
  });

  it('that jumps to the upper level is told of that alone', () => {
    const levels = `${GUARDS}levels: { notify: 1.01, hold: 1.02 }\n`;
    const jumped = story(levels).opened().check({ requests: 20, errors: 2 });
    expect(told(jumped)).toEqual(['RiskLevelReached hold']);
    expect(told(jumped.checks(2, { requests: 1 }))).toEqual(['RiskLevelReached hold']);
  });

  it('from its upper level on holds the rollout, and pages; nothing is left and nothing opens', () => {
    const risky = risen(story().opened());
    expect(risky.newest('RolloutHeld')).toMatchObject({ reason: 'risk-level', page: true });
    risky.checks(4, { requests: 5 });
    expect(risky.count('StepCompleted')).toBe(0);
    expect(risky.state).toMatchObject({ status: 'holding', position: { index: 0 } });
  });

  it('goes on by itself once it is halfway back to 1', () => {
    const risky = risen(story().opened()).checks(30);
    expect(told(risky)).toContain('RiskLevelLeft hold');
    expect(risky.count('StepCompleted')).toBe(1);
  });

  it('is told again when it rises again', () => {
    const risky = risen(story().opened().person('PauseRollout')).checks(30);
    expect(told(risky)).toHaveLength(4);
    for (let tries = 0; tries < 200 && told(risky).length === 4; tries += 1)
      risky.check({ requests: 20, errors: 1 });
    expect(told(risky)[4]).toBe('RiskLevelReached notify');
  });

  it('holds at an approval too, and a person can still promote', () => {
    const risky = risen(story(GUARDS, [CANARY, APPROVE, ALL]).opened().checks(4));
    expect(risky.state).toMatchObject({ status: 'holding', hold: { reason: 'risk-level' } });
    expect(risky.approve('review').count('SetExposure')).toBe(1);
    const promoted = risen(story().opened()).person('PromoteRollout');
    expect(promoted.types()).toContain('SetExposure');
    expect(promoted.answered('SetExposure').check().types()).toContain('RiskLevelLeft');
  });

  it('that was high when a step was left holds the next one only for what this one shows', () => {
    const guards = GUARDS.replace('detect: 6%', 'gate: none') + 'levels: { notify: 2, hold: 9 }\n';
    const left = story(guards, [CANARY, ALL.replace('3s', '20s')]).opened();
    for (let tries = 0; tries < 60 && left.count('StepCompleted') === 0; tries += 1)
      left.check({ requests: 20, errors: 1 });
    // Half of the risk is canary's: its part alone is more than half of the level, and never changes again.
    expect(left.newest('StepCompleted')).toMatchObject({
      step: 'canary',
      verdicts: [{ logE: expect.closeTo(Math.log(10.4), 1) }, {}],
    });
    const held = risen(left.answered('SetExposure'));
    expect(held.state).toMatchObject({ status: 'holding', hold: { reason: 'risk-level' } });
    held.checks(40);
    expect(told(held)).toContain('RiskLevelLeft hold');
    expect(held.state.status).toBe('completed');
  });

  it('has levels of the plan, and none at or below the score of a beginning', () => {
    const high = story(`${GUARDS}levels: { notify: 99.9, hold: 99.99 }\n`).opened();
    expect(told(high.check({ requests: 100, errors: 3 }))).toEqual([]);
    expect(told(story(`${GUARDS}risk: 50%\n`).opened().checks(2))).toEqual([]);
  });
});

describe('a guard in shadow', () => {
  const SHADOW = `${GUARDS}  - { name: trial, judge: immediate, metric: violations, shadow: true }\n`;
  const only = SHADOW.replace('metric: violations }', 'metric: violations, above: 100 }');

  it('that would have rolled back is told once a step, and nothing else comes of it', () => {
    const bad = story(only).opened().check({ violations: 1 });
    expect(bad.types()).toEqual(['GuardWouldBreach']);
    expect(bad.newest('GuardWouldBreach')).toMatchObject({
      step: 'canary',
      guard: 'trial',
      verdict: { outcome: 'breach', shadow: true },
    });
    bad.checks(3, { violations: 1 }).answered('SetExposure').checks(3, { violations: 1 });
    expect(bad.count('GuardWouldBreach')).toBe(2);
    expect(bad.count('RollbackStarted')).toBe(0);
    expect(bad.count('RolloutHeld')).toBe(0);
  });

  it('holds nothing up for want of data', () => {
    const guards = GUARDS.replace('metric: errors,', 'metric: errors, shadow: true,');
    const bare = story(guards).opened().checks(5, { answer: 'empty' });
    expect(bare.count('RolloutHeld')).toBe(0);
    expect(bare.count('StepCompleted')).toBe(1);
  });
});
