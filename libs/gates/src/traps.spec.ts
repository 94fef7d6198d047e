import { describe, expect, it } from '@jest/globals';
import { plan as planSchema } from '@tidegate/contracts';
import { assess } from './assess.ts';
import {
  both,
  compared,
  counted,
  critical,
  errorRate,
  fresh,
  sampled,
  slow,
} from './policies.memory.ts';
import { pinRisk } from './risk.ts';
import { openStage } from './stage-evidence.ts';
import { judgeStage, mayLeave } from './stage-verdict.ts';

const source = { scrape: ['http://a/metrics'] };
const plan = planSchema.parse({
  plan: 'p',
  flag: 'f',
  metrics: {
    errors: { type: 'ratio', source, bad: { metric: 'bad' }, total: { metric: 'total' } },
  },
  guards: [{ name: 'error-rate', judge: 'sequential', metric: 'errors', limit: '1%' }],
  steps: [{ stage: 'canary', percentage: 10, hold: '0s' }],
});
const [step] = plan.steps;

/** What other gates were seen to do, and this one must not. */
describe('trap', () => {
  it('three failures or four: beyond the limit is a breach, at it is not', () => {
    expect(assess({ ...critical, above: 3 }, { ...fresh, value: 3 }).outcome).toBe('pass');
    expect(assess({ ...critical, above: 3 }, { ...fresh, value: 4 }).outcome).toBe('breach');
  });

  it('exactly at the mark: evidence of exactly 1/risk is a breach, everywhere', () => {
    const { logE } = assess(errorRate, counted(12, 400));
    const risk = Math.exp(-(logE ?? 0)) * (1 + 1e-12);
    expect(assess({ ...errorRate, risk }, counted(12, 400)).outcome).toBe('breach');
  });

  it('precedence that differs within a guard and between guards: a breach is first in both', () => {
    const missing = { kind: 'query-error', targets: 1, detail: '' } as const;
    const broken = assess(errorRate, counted(63, 1_204, { missing }));
    expect(broken.outcome).toBe('breach');
    if (!step || !('stage' in step)) throw new Error('the plan has no stage');
    const dark = assess(critical, { ...fresh, value: 0, missing });
    const evidence = openStage(plan, 'canary', 0);
    for (const verdicts of [
      [broken, dark],
      [dark, broken],
    ])
      expect(mayLeave(step, evidence, verdicts, 0, 0)).toMatchObject({ because: 'breach' });
  });

  it('success with no measurement at all: nothing is left on nothing, not even with a hold time of zero', () => {
    if (!step || !('stage' in step)) throw new Error('the plan has no stage');
    const evidence = openStage(plan, 'canary', 0);
    const verdicts = judgeStage(plan, pinRisk(plan), evidence, 1e9);
    expect(mayLeave(step, evidence, verdicts, 0, 1e9)).toMatchObject({
      leave: false,
      because: 'missing-data',
      reason: 'not-read',
    });
    // Nor without guards, before any check has succeeded.
    expect(mayLeave(step, evidence, [], 0, 1e9)).toMatchObject({ because: 'hold-time' });
  });

  it('total, consecutive or windowed failures: a sustained guard means all of its time, in time', () => {
    const flapping = [0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.6];
    expect(assess(slow, sampled(...flapping)).outcome).toBe('hold');
    expect(assess(slow, sampled(...flapping.map(() => 0.6))).outcome).toBe('breach');
  });

  it('NaN compares false: it is missing data, and passes nothing', () => {
    const missing = { kind: 'nan', targets: 1, detail: 'total is NaN, not a count.' } as const;
    expect(assess(errorRate, counted(0, 9_999, { missing })).outcome).toBe('hold');
    expect(assess(critical, { ...fresh, missing, value: null }).outcome).toBe('hold');
  });

  it('a group without data has full marks: one guard without data holds all', () => {
    if (!step || !('stage' in step)) throw new Error('the plan has no stage');
    const good = assess(errorRate, counted(0, 100_000));
    const dark = assess(critical, { ...fresh, value: null });
    const evidence = { ...openStage(plan, 'canary', 0), lastSuccessAt: 1, coveredMs: 1 };
    expect(mayLeave(step, evidence, [good, good, good, dark], 0, 0)).toMatchObject({
      leave: false,
      because: 'missing-data',
    });
  });

  it('the first release has nothing to compare with and passes: it waits for a baseline', () => {
    const before = { ...compared, baseline: 'recorded' } as const;
    const never = counted(900, 1_000, { recorded: { bad: 0, total: 0 } });
    expect(assess(before, never)).toMatchObject({ outcome: 'hold', reason: 'too-little-recorded' });
    expect(assess(compared, both([3, 100], [0, 0])).outcome).toBe('hold');
  });

  it('an unreachable Prometheus rolls back, or fires at once when it is back: neither', () => {
    const missing = { kind: 'query-error', targets: 1, detail: 'it does not answer.' } as const;
    expect(assess(errorRate, counted(0, 400, { missing, ageMs: 3_600_000 })).outcome).toBe('hold');
    // An hour of nothing between two bad samples is not an hour of bad ones.
    const gap = sampled(0.6, 0.6, null, null, null, null, null, null, null, 0.6);
    expect(assess(slow, gap).outcome).toBe('hold');
  });

  it('noise in a judge: the same is said of the same, always', () => {
    const facts = both([12, 1_000], [90, 9_000]);
    expect(assess(compared, facts)).toEqual(assess(compared, structuredClone(facts)));
  });

  it('a two-sided test as a gate: being better is no breach', () => {
    expect(assess(errorRate, counted(0, 1_000_000)).outcome).toBe('pass');
    expect(assess(compared, both([0, 10_000], [9_000, 90_000])).outcome).toBe('pass');
  });

  it('a share that changes within one test: what is expected was added up as it was', () => {
    // Ten per cent of the requests, then half of them; the same two per cent fail on both sides.
    const first = both([20, 1_000], [180, 9_000]).since?.[0];
    const second = both([100, 5_000], [100, 5_000]).since?.[0];
    const expected = (first?.baseline?.expected ?? 0) + (second?.baseline?.expected ?? 0);
    const since = [
      { start: 0, bad: 120, total: 6_000, baseline: { bad: 280, total: 14_000, expected } },
    ];
    expect(assess({ ...compared, margin: 0.1 }, { ...fresh, since, window: 0 }).outcome).toBe(
      'pass',
    );
    // Taken as if it had always been the first share, it would be a breach.
    const wrong = [
      {
        start: 0,
        bad: 120,
        total: 6_000,
        baseline: { bad: 280, total: 14_000, expected: 400 * 0.11 },
      },
    ];
    expect(
      assess({ ...compared, margin: 0.1 }, { ...fresh, since: wrong, window: 0 }).outcome,
    ).toBe('breach');
  });
});
