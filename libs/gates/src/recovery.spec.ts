import { describe, expect, it } from '@jest/globals';
import { plan as planSchema, type Plan } from '@tidegate/contracts';
import { reassess } from './assess.ts';
import type { GuardEvidence } from './evidence.ts';
import { judgeRecovery } from './recovery.ts';
import { openStage } from './stage-evidence.ts';

const source = { scrape: ['http://a/metrics'] };
const arms = { canary: { where: { variant: 'on' } }, baseline: { where: { variant: 'off' } } };
const ratio = { type: 'ratio', source, bad: { metric: 'bad' }, total: { metric: 'total' } };
const planOf = (...guards: readonly object[]): Plan =>
  planSchema.parse({
    plan: 'p',
    flag: 'f',
    metrics: {
      errors: ratio,
      arms: { ...ratio, ...arms },
      losses: { type: 'count', source, count: { metric: 'losses' } },
      memory: { type: 'value', source, gauge: { metric: 'memory' } },
      orders: { type: 'rate', source, count: { metric: 'orders' } },
    },
    guards: guards.map((guard, i) => ({ name: `g${i}`, ...guard })),
    steps: [{ stage: 'canary', percentage: 10, hold: '1m' }],
  });
const errors = { judge: 'sequential', metric: 'errors', limit: '1%', detect: '5%' };

const base = { targets: {}, lastSuccessAt: 0, missing: null };
const counted = (bad: number, total: number): GuardEvidence => ({
  ...base,
  windows: { widthMs: 5_000, newest: 0, rows: [[0, bad, total]] },
});
const judged = (plan: Plan, ...guards: readonly GuardEvidence[]) => {
  const evidence = openStage(plan, '', 0, undefined, { overall: true });
  const named = Object.fromEntries(guards.map((each, i) => [`g${i}`, each]));
  return judgeRecovery(plan, { ...evidence, guards: named }, 0);
};

describe('after a rollback', () => {
  it('the metrics are good again when they are proven to be below what the guard is there to see', () => {
    const plan = planOf(errors);
    expect(judged(plan, counted(1, 400))).toMatchObject({
      outcome: 'recovered',
      message: 'g0: good again since the rollback. 1 of 400 requests failed (0.25 %), limit 1 %.',
      verdicts: [{ reason: 'recovered', outcome: 'pass' }],
    });
    // Good so far, and too few to say so.
    expect(judged(plan, counted(0, 30))).toMatchObject({
      outcome: 'persisting',
      message: expect.stringContaining('needs about 86 requests'),
    });
  });

  it('they are not while the rate is over the limit, however surely it is below the regression', () => {
    const plan = planOf(errors);
    expect(judged(plan, counted(10, 1_000)).outcome).toBe('recovered');
    expect(judged(plan, counted(11, 1_000)).outcome).toBe('persisting');
  });

  it('missing data persist, and nobody served while the source answers is no harm', () => {
    const plan = planOf(errors);
    const missing = { kind: 'query-error', targets: 1, detail: 'it does not answer.' } as const;
    expect(judged(plan, { ...counted(0, 9_999), missing })).toMatchObject({
      outcome: 'persisting',
      message: expect.stringContaining('it does not answer.'),
    });
    expect(judged(plan, { ...counted(0, 9_999), lastSuccessAt: -60_000 }).outcome).toBe(
      'persisting',
    );
    expect(judged(plan).outcome).toBe('persisting');
    expect(judged(plan, counted(0, 0))).toMatchObject({
      outcome: 'recovered',
      verdicts: [{ reason: 'nobody-served' }],
    });
  });

  it('every guard that acts must say so', () => {
    const plan = planOf(
      errors,
      { judge: 'immediate', metric: 'losses' },
      { ...errors, shadow: true },
    );
    const bad = { ...base, read: { at: 0, value: 3 } };
    const good = { ...base, read: { at: 0, value: 0 } };
    expect(judged(plan, counted(0, 400), good, counted(400, 400)).outcome).toBe('recovered');
    expect(judged(plan, counted(0, 400), bad).outcome).toBe('persisting');
    expect(judged(plan, counted(0, 400), good).verdicts).toHaveLength(2);
  });

  it('a gauge is judged by its newest value, a rate by its limit', () => {
    const gauge = planOf({ judge: 'immediate', metric: 'memory', above: 5 });
    expect(judged(gauge, { ...base, read: { at: 0, value: 5 } }).outcome).toBe('recovered');
    expect(judged(gauge, { ...base, read: { at: 0, value: 6 } }).outcome).toBe('persisting');
    expect(judged(gauge, { ...base, read: null })).toMatchObject({
      verdicts: [{ reason: 'no-value' }],
    });
    const rate = planOf({ judge: 'sequential', metric: 'orders', limit: 5 });
    expect(judged(rate, counted(10, 10_000)).outcome).toBe('recovered');
    expect(judged(rate, counted(60, 10_000)).outcome).toBe('persisting');
  });

  it('there is nothing left to compare, and no split', () => {
    const plan = planOf(
      { judge: 'sequential', metric: 'arms', margin: '10%' },
      { judge: 'split', metric: 'arms' },
    );
    expect(judged(plan, counted(0, 400))).toMatchObject({
      outcome: 'recovered',
      verdicts: [{ reason: 'nothing-to-compare' }],
    });
  });

  it('it is judged again to the same', () => {
    for (const counts of [counted(1, 400), counted(11, 1_000), counted(0, 0)])
      for (const verdict of judged(planOf(errors), counts).verdicts)
        expect(reassess(verdict)).toEqual(verdict);
  });
});
