import { describe, expect, it } from '@jest/globals';
import { verdict } from '@tidegate/contracts';
import { priorFor } from '@tidegate/statistics';
import fc from 'fast-check';
import {
  assess,
  type ImmediatePolicy,
  isMissingData,
  reassess,
  type SequentialPolicy,
} from './assess.ts';
import { missingKinds } from './counters.ts';
import type { GuardEvidence } from './evidence.ts';

const AT = 1_790_000_000_000;
const errorRate: SequentialPolicy = {
  guard: 'error-rate',
  judge: 'sequential',
  limit: 0.01,
  risk: 0.01,
  prior: priorFor(0.01),
  minTrials: 500,
  maxAgeMs: 15_000,
};
const critical: ImmediatePolicy = {
  guard: 'critical-errors',
  judge: 'immediate',
  above: 2,
  maxAgeMs: 15_000,
};
const counted = (bad: number, total: number, more: Partial<GuardEvidence> = {}): GuardEvidence => ({
  windows: { widthMs: 5_000, counts: total + bad === 0 ? [] : [[bad, total]] },
  targets: {},
  lastSuccessAt: AT - 5_000,
  missing: null,
  ...more,
});
const unread = {
  kind: 'query-error',
  targets: 1,
  detail: 'http://a/metrics answered 503.',
} as const;
const judged = (bad: number, total: number, more?: Partial<GuardEvidence>) =>
  assess(errorRate, counted(bad, total, more), AT);

describe('a sequential guard', () => {
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
    const exactly = { ...errorRate, risk: Math.exp(-(logE ?? 0)) };
    expect(
      assess({ ...exactly, risk: exactly.risk * (1 + 1e-12) }, counted(12, 400), AT).outcome,
    ).toBe('breach');
    expect(
      assess({ ...exactly, risk: exactly.risk * (1 - 1e-12) }, counted(12, 400), AT).outcome,
    ).not.toBe('breach');
  });

  it('asks for more where its share is smaller', () => {
    expect(judged(15, 400).outcome).toBe('breach');
    expect(assess({ ...errorRate, risk: 0.0001 }, counted(15, 400), AT).outcome).not.toBe('breach');
  });

  it('passes with enough requests and nothing proven', () => {
    expect(judged(1, 1_204)).toMatchObject({
      outcome: 'pass',
      reason: 'error-rate-within-limit',
      message:
        'error-rate: 1 of 1 204 requests failed (0.083 %), limit 1 %; no evidence of a breach, needed 1:100.',
    });
  });

  it('passes from the very number of requests that the stage asks for', () => {
    expect(judged(0, 499).reason).toBe('too-few-requests');
    expect(judged(0, 500).outcome).toBe('pass');
  });

  it('is not fooled by a rate above the limit that a few requests do not prove', () => {
    expect(judged(9, 600)).toMatchObject({
      outcome: 'pass',
      message: expect.stringContaining('9 of 600 requests failed (1.5 %)'),
    });
  });

  it.each<[string, GuardEvidence, string]>([
    ['not-read', counted(0, 0, { lastSuccessAt: null }), 'error-rate: nothing has been read yet.'],
    ['no-requests', counted(0, 0), 'error-rate: there has been no request yet.'],
    [
      'too-few-requests',
      counted(0, 499),
      'error-rate: at least 500 requests are needed. 0 of 499 requests failed (0 %), limit 1 %; no evidence of a breach, needed 1:100.',
    ],
    [
      'stale',
      counted(1, 1_204, { lastSuccessAt: AT - 15_001 }),
      'error-rate: nothing new for 15 s, at most 15 s. 1 of 1 204 requests failed (0.083 %), limit 1 %; no evidence of a breach, needed 1:100.',
    ],
    [
      'query-error',
      counted(0, 0, { missing: unread, lastSuccessAt: null }),
      'error-rate: http://a/metrics answered 503.',
    ],
    [
      'more-errors-than-requests',
      counted(5, 3),
      'error-rate: the counts contradict each other. 5 of 3 requests failed, limit 1 %.',
    ],
  ])('holds with the reason %s', (reason, evidence, message) => {
    expect(assess(errorRate, evidence, AT)).toMatchObject({ outcome: 'hold', reason, message });
  });

  it('tells apart ages that would be rounded to the same second', () => {
    const strict = { ...errorRate, maxAgeMs: 600 };
    const { message } = assess(strict, counted(0, 0, { lastSuccessAt: AT - 720 }), AT);
    expect(message).toContain('nothing new for 0.7 s, at most 0.6 s.');
  });

  it.each(missingKinds)('never passes while data are missing: %s', (kind) => {
    const missing = { kind, targets: 1, detail: 'something is missing.' };
    expect(judged(0, 100_000, { missing })).toMatchObject({ outcome: 'hold', reason: kind });
    expect(isMissingData(kind)).toBe(true);
  });

  it('proves a breach from what it has counted, also when the newest data are missing', () => {
    expect(judged(63, 1_204, { missing: unread, lastSuccessAt: AT - 3_600_000 })).toMatchObject({
      outcome: 'breach',
      reason: 'error-rate-too-high',
    });
  });

  it('judges what the counts say, not in how many pieces they came', () => {
    const pieces = Array.from({ length: 100 }, (_, i): [number, number] => [
      i % 10 === 0 ? 1 : 0,
      12,
    ]);
    const windows = { widthMs: 5_000, counts: pieces };
    expect(assess(errorRate, counted(0, 0, { windows }), AT)).toEqual(judged(10, 1_200));
  });
});

describe('an immediate guard', () => {
  it('breaches above its limit and not at it', () => {
    expect(assess(critical, counted(2, 0), AT)).toEqual({
      guard: 'critical-errors',
      outcome: 'pass',
      reason: 'count-within-limit',
      logE: null,
      threshold: null,
      evidence: { count: 2, above: 2, ageMs: 5_000, maxAgeMs: 15_000 },
      message: 'critical-errors: 2 counted, at most 2 allowed.',
    });
    expect(assess(critical, counted(3, 0), AT)).toMatchObject({
      outcome: 'breach',
      reason: 'count-too-high',
      message: 'critical-errors: 3 counted, at most 2 allowed.',
    });
  });

  it('holds while data are missing, unless what is counted is too much already', () => {
    expect(assess(critical, counted(0, 0, { missing: unread }), AT)).toMatchObject({
      outcome: 'hold',
      reason: 'query-error',
      message: 'critical-errors: http://a/metrics answered 503. 0 counted, at most 2 allowed.',
    });
    expect(assess(critical, counted(3, 0, { missing: unread }), AT).outcome).toBe('breach');
    expect(assess(critical, counted(0, 0, { lastSuccessAt: null }), AT).reason).toBe('not-read');
    expect(assess(critical, counted(0, 0, { lastSuccessAt: 0 }), AT).reason).toBe('stale');
  });
});

describe('a verdict', () => {
  const evidence = fc
    .record({
      total: fc.nat({ max: 5_000 }),
      bad: fc.nat({ max: 200 }),
      ageMs: fc.option(fc.nat({ max: 30_000 })),
      kind: fc.option(fc.constantFrom(...missingKinds)),
    })
    .map(({ total, bad, ageMs, kind }) =>
      counted(bad, total, {
        lastSuccessAt: ageMs === null ? null : AT - ageMs,
        missing: kind && { kind, targets: 2, detail: '' },
      }),
    );
  const policy = fc.oneof(
    fc.record({
      guard: fc.constant('error-rate'),
      judge: fc.constant('sequential' as const),
      limit: fc.double({ min: 0.0001, max: 0.5, noNaN: true }),
      risk: fc.double({ min: 1e-6, max: 0.5, noNaN: true }),
      prior: fc.constant({ alpha: 1, beta: 20 }),
      minTrials: fc.nat({ max: 2_000 }),
      maxAgeMs: fc.constant(15_000),
    }),
    fc.record({
      guard: fc.constant('critical-errors'),
      judge: fc.constant('immediate' as const),
      above: fc.nat({ max: 50 }),
      maxAgeMs: fc.constant(15_000),
    }),
  );

  it('is judged again to the same from nothing but its own evidence, also after a journey as JSON', () => {
    fc.assert(
      fc.property(policy, evidence, (policy, evidence) => {
        const { message, ...said } = assess(policy, evidence, AT);
        const arrived = verdict.parse(JSON.parse(JSON.stringify({ ...said, message })));
        const { message: again, ...repeated } = reassess(arrived) ?? { message: undefined };
        expect(repeated).toEqual(said);
        if (evidence.missing === null) expect(again).toBe(message);
      }),
    );
  });

  it('of someone else is not judged', () => {
    const foreign = {
      guard: 'g',
      outcome: 'breach',
      reason: 'r',
      logE: null,
      threshold: null,
    } as const;
    expect(reassess({ ...foreign, evidence: {}, message: '' })).toBeUndefined();
    expect(
      reassess({ ...foreign, evidence: { maxAgeMs: 1, errors: 1 }, message: '' }),
    ).toBeUndefined();
  });
});
