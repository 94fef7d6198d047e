import { describe, expect, it } from '@jest/globals';
import { rolloutBody } from './rollout-body.ts';
import { ALL, CANARY, GUARDS, Story } from './story.memory.ts';

function shown({ state, evidence, now }: Story) {
  if (state.status === 'absent') throw new Error('nothing to show');
  const check = evidence && { arrangedAt: 0, evidence, lastCheckAt: now, nextCheckAt: null };
  return rolloutBody(state, check, { epoch: 1, version: 1 }, now);
}

describe('a rollout as people get it', () => {
  it('says how long its step was watched, and what it still waits for', () => {
    const body = shown(new Story([CANARY, ALL]).opened().checks(2));
    expect(body.steps).toMatchObject([
      { name: 'canary', kind: 'stage', state: 'current', holdMs: 3_000, coveredMs: 1_000 },
      { name: 'all', state: 'ahead', holdMs: 3_000 },
    ]);
    expect(body).toMatchObject({
      waitsFor: { reason: 'hold-time', message: expect.stringContaining('1s of 3s covered') },
    });
  });

  it('says of each guard what its gate still needs', () => {
    const [errorRate] = shown(new Story([CANARY]).opened().check({ requests: 10 })).guards;
    expect(errorRate?.evidence['neededTrials']).toBeGreaterThan(10);
    expect(errorRate?.neededTrials).toBe(Number(errorRate?.evidence['neededTrials']) - 10);
    const [enough] = shown(new Story([CANARY]).opened().check({ requests: 1_000 })).guards;
    expect(enough?.neededTrials).toBe(0);
  });

  it('leaves out the inputs of its verdicts, which the events have', () => {
    const [errorRate] = shown(new Story([CANARY]).opened().check()).guards;
    expect(errorRate).not.toHaveProperty('inputs');
  });

  it('says how high its risk is, which levels there are and which it has come to', () => {
    const calm = new Story([CANARY]).opened().check();
    expect(shown(calm)).toMatchObject({
      riskLimit: 100,
      riskLevels: { notify: 10, hold: 20 },
      riskLevelsReached: [],
    });
    expect(shown(calm).riskScore).toBeLessThan(1);
    const risky = new Story([CANARY], `${GUARDS}levels: { notify: 1.2 }\n`).opened();
    for (let tries = 0; tries < 40 && risky.count('RiskLevelReached') === 0; tries += 1)
      risky.check({ requests: 20, errors: 1 });
    expect(shown(risky).riskLevelsReached).toEqual(['notify']);
  });

  it('has the score that it was rolled back at, also once something else is counted', () => {
    const broken = new Story([CANARY]).opened().check({ requests: 1_000, errors: 100 });
    const ended = broken.answered('RestoreFlag').checks(2, { errors: 50 });
    expect(shown(ended).riskScore).toBeGreaterThan(100);
    expect(shown(ended)).toMatchObject({ recovery: { status: 'awaited' } });
  });

  it('names the last dry run before an approval: what the approver should have read', () => {
    const dry = ['{ migrate: stages, action: plan }', '{ migrate: totals, action: plan }'];
    const story = new Story([...dry, '{ approve: review }', CANARY]).start().held();
    expect(shown(story)).not.toHaveProperty('dryRun');
    for (const run of ['r-1.0.0', 'r-1.1.0'])
      story.hears('MigrationStarted', { run }).hears('MigrationCompleted', { run });
    expect(shown(story)).toMatchObject({
      step: 'review',
      dryRun: { step: 'totals/plan', migration: 'totals', run: 'r-1.1.0' },
    });
    expect(shown(story.approve('review'))).not.toHaveProperty('dryRun');
  });

  it('says of a bake how long it watches, and that the exposure is that of the stage before', () => {
    const story = new Story([CANARY, '{ bake: overnight, hold: 5s }']).opened().checks(4);
    const body = shown(story.answered('SetExposure').checks(3));
    expect(body.steps[1]).toMatchObject({ kind: 'bake', holdMs: 5_000, coveredMs: 2_000 });
    expect(body).toMatchObject({ exposure: '10 %', phase: 'open', step: 'overnight' });
  });
});
