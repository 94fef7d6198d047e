import { describe, expect, it } from '@jest/globals';
import { trialsForPower } from '@tidegate/statistics';
import { assess } from './assess.ts';
import type { Facts } from './facts.ts';
import { both, compared, counted, errorRate } from './policies.memory.ts';

const judged = (bad: number, total: number, more?: Partial<Facts>) =>
  assess(errorRate, counted(bad, total, more));
const unread = {
  kind: 'query-error',
  targets: 1,
  detail: 'http://a/metrics answered 503.',
} as const;

describe('a guard with a limit', () => {
  it('breaches when the evidence reaches what its share of the risk asks for', () => {
    const breach = judged(63, 1_204);
    expect(breach).toMatchObject({ outcome: 'breach', reason: 'error-rate-too-high' });
    expect(breach.threshold).toBeCloseTo(Math.log(100), 12);
    expect(breach.logE).toBeGreaterThan(breach.threshold ?? Infinity);
    expect(breach.message).toBe(
      'error-rate: 63 of 1 204 requests failed (5.2 %), limit 1 %; evidence 1:10^22 against chance, needed 1:100.',
    );
  });

  it('breaches at the threshold itself, not only beyond it', () => {
    const { logE } = judged(12, 400);
    const exactly = Math.exp(-(logE ?? 0));
    const at = (risk: number) => assess({ ...errorRate, risk }, counted(12, 400)).outcome;
    expect(at(exactly * (1 + 1e-12))).toBe('breach');
    expect(at(exactly * (1 - 1e-12))).not.toBe('breach');
  });

  it('asks for more where its share is smaller', () => {
    expect(judged(15, 400).outcome).toBe('breach');
    expect(assess({ ...errorRate, risk: 0.0001 }, counted(15, 400)).outcome).not.toBe('breach');
  });

  it('passes when nothing is proven', () => {
    expect(judged(1, 1_204)).toMatchObject({
      outcome: 'pass',
      reason: 'error-rate-within-limit',
      message:
        'error-rate: 1 of 1 204 requests failed (0.083 %), limit 1 %; no evidence of a breach, needed 1:100.',
    });
    // Above the limit, but so few requests do not prove it.
    expect(judged(9, 600).outcome).toBe('pass');
  });

  it('proves a breach from what it has counted, also when the newest data are missing', () => {
    expect(judged(63, 1_204, { missing: unread, ageMs: 3_600_000 }).outcome).toBe('breach');
  });

  it('sees a regression that begins late, without winning back the good evidence before it', () => {
    const late = (broken: number): Facts => {
      // Twenty windows of 1 000 requests at half the limit, then one at five times the limit.
      const since = Array.from({ length: 21 }, (_, start) => ({
        start,
        bad: (20 - start) * 5 + broken,
        total: (21 - start) * 1_000,
      }));
      return counted(0, 0, { since, window: 20 });
    };
    const policy = { ...errorRate, horizon: 24 };
    expect(assess(policy, late(50)).outcome).toBe('breach');
    expect(assess(policy, late(5)).outcome).toBe('pass');
    const [whole] = late(50).since ?? [];
    expect(assess(policy, { ...late(50), since: whole ? [whole] : [] }).outcome).toBe('pass');
  });

  it('of latency says what took too long, and of a rate how often it happened', () => {
    const latency = { ...errorRate, kind: 'latency', overMs: 500, limit: 0.05 } as const;
    expect(assess(latency, counted(90, 400)).message).toMatch(
      /^error-rate: 90 of 400 requests took over 500ms \(23 %\), limit 5 %; evidence 1:/,
    );
    const rate = { ...errorRate, kind: 'rate', limit: 5, perMs: 60_000, detect: 10 } as const;
    expect(assess(rate, counted(60, 300_000))).toMatchObject({
      outcome: 'breach',
      reason: 'rate-too-high',
      message: expect.stringMatching(/^error-rate: 60 in 5m, limit 5 in 1m; evidence 1:/),
    });
    expect(assess(rate, counted(20, 300_000)).reason).toBe('rate-within-limit');
  });
});

describe('the gate “not proven bad”', () => {
  const gated = { ...errorRate, gate: 'not-proven-bad' } as const;
  const needed = trialsForPower({
    limit: 0.01,
    regression: 0.02,
    threshold: -Math.log(0.01) - Math.log(0.95),
    power: 0.8,
  });

  it('opens at the very request that would have shown the regression with 80 % power', () => {
    expect(assess(gated, counted(0, needed - 1))).toMatchObject({
      outcome: 'hold',
      reason: 'too-few-requests',
      evidence: { neededTrials: needed, trials: needed - 1 },
    });
    expect(assess(gated, counted(0, needed)).outcome).toBe('pass');
  });

  it('says what is still needed, rounded up to two digits', () => {
    expect(assess(gated, counted(0, 420)).message).toBe(
      'error-rate: needs about 2 500 requests to have seen 2 %, has 420. 0 of 420 requests failed (0 %), limit 1 %; no evidence of a breach, needed 1:100.',
    );
  });

  it('needs less to have seen a worse regression, and time for a rate', () => {
    expect(assess({ ...gated, detect: 0.2 }, counted(0, 100)).outcome).toBe('pass');
    const rate = { ...gated, kind: 'rate', limit: 5, perMs: 60_000, detect: 20 } as const;
    expect(assess(rate, counted(0, 10_000))).toMatchObject({
      reason: 'too-little-time',
      message: expect.stringMatching(/needs about .+ to have seen 20 in 1m, has 10s\./),
    });
    expect(assess(rate, counted(0, 3_600_000)).outcome).toBe('pass');
  });
});

describe('the gate “proven good”', () => {
  const proven = { ...errorRate, gate: 'proven-good' } as const;

  it('opens when the rate is as certainly below the limit as a breach would be above it', () => {
    expect(assess(proven, counted(0, 400))).toMatchObject({
      reason: 'not-proven-good',
      message: expect.stringMatching(
        /not proven to be below 1 %: at this rate it needs about \d+ requests, has 400\./,
      ),
    });
    expect(assess(proven, counted(0, 2_000)).outcome).toBe('pass');
    expect(assess(proven, counted(18, 2_000)).reason).toBe('not-proven-good');
  });

  it('says when it will never open like that', () => {
    expect(assess(proven, counted(25, 2_000)).message).toContain('at this rate it never will be');
  });

  it('compares as well', () => {
    const better = { ...compared, gate: 'proven-good', margin: 0.5 } as const;
    expect(assess(better, both([10, 1_000], [90, 9_000], { margin: 0.5 })).reason).toBe(
      'not-proven-good',
    );
    expect(assess(better, both([40, 10_000], [900, 90_000], { margin: 0.5 })).outcome).toBe('pass');
  });
});

describe('a guard with a margin', () => {
  it('breaches when the canary is worse than the baseline by more than the margin', () => {
    expect(assess(compared, both([40, 1_000], [90, 9_000]))).toMatchObject({
      outcome: 'breach',
      reason: 'worse-than-baseline',
      message: expect.stringMatching(
        /^error-rate: 40 of 1 000 requests failed \(4 %\), the baseline’s 90 of 9 000 \(1 %\), 10 % more allowed; evidence 1:/,
      ),
    });
    expect(assess(compared, both([10, 1_000], [90, 9_000])).reason).toBe('not-worse-than-baseline');
  });

  it('is not broken by an outage that both share, however bad', () => {
    expect(assess(compared, both([900, 1_000], [8_100, 9_000])).outcome).toBe('pass');
  });

  it('waits until as many errors would have shown the regression', () => {
    const gated = { ...compared, gate: 'not-proven-bad' } as const;
    expect(assess(gated, both([1, 100], [9, 900]))).toMatchObject({
      reason: 'too-few-errors',
      message: expect.stringMatching(
        /needs about [\d ]+ requests to have seen 2\.2 times the baseline’s errors, has 100\./,
      ),
    });
    expect(assess(gated, both([100, 10_000], [900, 90_000])).outcome).toBe('pass');
    expect(assess(gated, both([0, 100], [0, 900])).message).toContain(
      'too little fails to tell 2.2 times as bad from as good.',
    );
  });

  it('holds until the baseline has been asked, too', () => {
    expect(assess(compared, both([3, 100], [0, 0])).reason).toBe('no-baseline-requests');
  });

  it('has nothing to compare once everybody has the new version', () => {
    const everyone = { ...compared, everyone: true };
    expect(assess(everyone, both([900, 1_000], [0, 0]))).toMatchObject({
      outcome: 'pass',
      reason: 'nothing-to-compare',
    });
    expect(assess({ ...everyone, limit: 0.01 }, counted(900, 1_000)).reason).toBe(
      'error-rate-too-high',
    );
  });
});

describe('a guard with both', () => {
  const withLimit = { ...compared, limit: 0.01 };

  it('breaches on the comparison alone', () => {
    expect(assess(withLimit, both([80, 1_000], [90, 9_000])).reason).toBe('worse-than-baseline');
    expect(assess(withLimit, both([12, 1_000], [90, 9_000])).outcome).toBe('pass');
  });

  it('holds, and does not roll back, when the baseline is over the limit too', () => {
    const bad = assess(withLimit, both([52, 1_000], [450, 9_000]));
    expect(bad).toMatchObject({ outcome: 'hold', reason: 'both-arms-bad' });
    expect(bad.message).toContain('the baseline is over the limit as well');
    // That stays proven while new data are missing.
    const dark = both([52, 1_000], [450, 9_000], { missing: unread });
    expect(assess(withLimit, dark).reason).toBe('both-arms-bad');
  });

  it('lets a service that never fails leave: at the limit it would have been seen', () => {
    const gated = { ...withLimit, gate: 'not-proven-bad' } as const;
    expect(assess(gated, both([0, 100], [0, 900])).reason).toBe('too-few-errors');
    expect(assess(gated, both([0, 2_000], [0, 18_000])).outcome).toBe('pass');
  });
});

describe('a guard against what was recorded', () => {
  const before = { ...compared, baseline: 'recorded' } as const;

  it('breaches above the margin on the highest rate that the record may come from', () => {
    const recorded = { bad: 100, total: 100_000 };
    expect(assess(before, counted(40, 4_000, { recorded }))).toMatchObject({
      outcome: 'breach',
      reason: 'error-rate-too-high',
    });
    expect(assess(before, counted(4, 4_000, { recorded })).outcome).toBe('pass');
    // From so short a record nothing as bad can be called worse.
    expect(assess(before, counted(40, 4_000, { recorded: { bad: 0, total: 300 } })).outcome).toBe(
      'pass',
    );
  });

  it('keeps a tenth of its risk for the record', () => {
    const recorded = { bad: 100, total: 100_000 };
    const { threshold } = assess(before, counted(4, 4_000, { recorded }));
    expect(threshold).toBeCloseTo(-Math.log(0.009), 12);
  });

  it('is never laxer than its limit', () => {
    const recorded = { bad: 5_000, total: 10_000 };
    const limited = { ...before, limit: 0.01 };
    expect(assess(limited, counted(80, 1_000, { recorded })).outcome).toBe('breach');
    expect(assess(limited, counted(80, 1_000, { recorded: null })).outcome).toBe('breach');
  });

  it('holds without a record, or with one that says nothing', () => {
    expect(assess(before, counted(0, 4_000, { recorded: null })).reason).toBe('not-read');
    expect(assess(before, counted(0, 4_000, { recorded: { bad: 0, total: 0 } })).reason).toBe(
      'too-little-recorded',
    );
    expect(assess(before, counted(0, 4_000, { recorded: { bad: 9, total: 10 } })).reason).toBe(
      'too-little-recorded',
    );
  });

  it('holds for a rate as well', () => {
    const rate = { ...before, kind: 'rate', perMs: 60_000 } as const;
    const recorded = { bad: 600, total: 3_600_000 };
    expect(assess(rate, counted(60, 60_000, { recorded })).outcome).toBe('breach');
    expect(assess(rate, counted(10, 60_000, { recorded })).outcome).toBe('pass');
  });
});

describe('what cannot be computed', () => {
  it.each([
    [0.1, 1.12],
    [0, 1.02],
    [1, 2.02],
  ])('holds, and stops no check: margin %p, detect %p', (margin, detect) => {
    const policy = { ...compared, margin, detect, gate: 'not-proven-bad' } as const;
    const verdict = assess(policy, both([10, 10_000], [90, 90_000], { margin }));
    expect(verdict).toMatchObject({ outcome: 'hold', reason: 'too-few-errors' });
    expect(verdict.message).toContain('too little fails to tell');
  });

  it('is a limit so small that one minus it is one', () => {
    const policy = { ...errorRate, limit: 1e-17, detect: 2e-17, gate: 'not-proven-bad' } as const;
    expect(assess(policy, counted(0, 1_000))).toMatchObject({
      outcome: 'hold',
      reason: 'too-few-requests',
    });
  });

  it('is how a rate with as many events as its limit would look after a million times as many', () => {
    const rate = { ...errorRate, kind: 'rate', perMs: 1_000, gate: 'proven-good' } as const;
    const policy = { ...rate, limit: 1e6, detect: 2e6 };
    expect(assess(policy, counted(1_000_001, 1_000))).toMatchObject({
      outcome: 'hold',
      reason: 'not-proven-good',
    });
  });
});
