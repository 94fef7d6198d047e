import { describe, expect, it } from '@jest/globals';
import { ALL, CANARY, type Found, Story } from './story.memory.ts';

const ARMS = `
guards:
  - { name: compared, judge: sequential, metric: compared, limit: 1%, margin: 50%, gate: none }
  - { name: split, judge: split, metric: compared }
`;
const APPROVE = '{ approve: review }';
/** A tenth of the traffic has the new version. */
const well: Found = { requests: 100, baseline: { requests: 900, errors: 0 } };
const outage: Found = { requests: 100, errors: 30, baseline: { requests: 900, errors: 270 } };
const canaryAlone: Found = { requests: 100, errors: 30, baseline: { requests: 900, errors: 0 } };
const misrouted: Found = { requests: 500, baseline: { requests: 500, errors: 0 } };

const opened = (steps = [CANARY, ALL]) =>
  new Story(steps, ARMS).start().held().check(well).answered('SetExposure').check(well);

describe('what is wrong with more than the new version', () => {
  it.each([
    ['an outage that both have', outage, 'both-arms-bad'],
    ['a split that is not as it should be', misrouted, 'sample-ratio-mismatch'],
  ])('%s holds the rollout and pages at once, and rolls nothing back', (_what, found, reason) => {
    const held = opened().check(found);
    expect(held.types()).toEqual(['RolloutHeld']);
    expect(held.newest('RolloutHeld')).toMatchObject({ reason, page: true });
    held.checks(20, found);
    expect(held.count('RolloutHeld')).toBe(1);
    expect(held.count('StepCompleted')).toBe(0);
    expect(held.count('RollbackStarted')).toBe(0);
  });

  it('is told with the verdicts and all that they rest on', () => {
    expect(opened().check(outage).newest('RolloutHeld')).toMatchObject({
      verdicts: [
        { guard: 'compared', reason: 'both-arms-bad', inputs: { policy: {}, facts: {} } },
        { guard: 'split', outcome: 'pass' },
      ],
    });
  });

  it('is not the canary that alone is worse: that rolls back', () => {
    const broken = opened().check(canaryAlone);
    expect(broken.types()).toContain('RollbackStarted');
  });

  it('keeps the next stage shut although an approval is given meanwhile', () => {
    const waiting = opened([CANARY, APPROVE, ALL]).checks(3, well).check(outage);
    expect(waiting.newest('RolloutHeld')).toMatchObject({ reason: 'both-arms-bad', page: true });
    waiting.approve('review').checks(5, outage);
    expect(waiting.count('SetExposure')).toBe(1);
    expect(waiting.state).toMatchObject({ status: 'holding', hold: { reason: 'both-arms-bad' } });
    expect(waiting.person('PromoteRollout').types()).toContain('SetExposure');
  });

  it('leaves what to do to a person', () => {
    expect(opened().check(outage).person('RollBack').types()).toContain('RollbackStarted');
    expect(opened().check(outage).person('PromoteRollout').types()).toContain('SetExposure');
  });
});
