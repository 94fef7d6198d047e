import { describe, expect, it } from '@jest/globals';
import { plan } from '@tidegate/contracts';
import fc from 'fast-check';
import { logRiskScore, pinRisk, riskLevels, shareKey } from './risk.ts';

const source = { scrape: ['http://checkout/metrics'] };
const planOf = (weights: readonly number[], stages: number) =>
  plan.parse({
    plan: 'p',
    flag: 'f',
    risk: '2%',
    metrics: {
      errors: { type: 'ratio', source, bad: { metric: 'bad' }, total: { metric: 'total' } },
      critical: { type: 'count', source, count: { metric: 'critical' } },
    },
    guards: [
      ...weights.map((weight, i) => ({
        name: `g${i}`,
        judge: 'sequential',
        metric: 'errors',
        limit: '1%',
        weight,
      })),
      { name: 'now', judge: 'immediate', metric: 'critical' },
    ],
    steps: [
      { approve: 'review' },
      ...Array.from({ length: stages }, (_, i) => ({ stage: `s${i}`, percentage: 10, hold: '1m' })),
    ],
  });

describe('the shares of the risk', () => {
  it('follow the weights, are equal over the stages, and leave out what cannot breach by chance', () => {
    expect(pinRisk(planOf([3, 1], 2))).toEqual({
      risk: 0.02,
      shares: { 'g0@s0': 0.375, 'g1@s0': 0.125, 'g0@s1': 0.375, 'g1@s1': 0.125 },
    });
  });

  it('add up to one', () => {
    const weights = fc.array(fc.double({ min: 0.001, max: 1_000, noNaN: true }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 10 }), (weights, stages) => {
        const shares = Object.values(pinRisk(planOf(weights, stages)).shares);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
      }),
    );
  });

  it('are none without guards that test, or without stages', () => {
    expect(pinRisk(planOf([], 3)).shares).toEqual({});
    expect(pinRisk(planOf([1], 0)).shares).toEqual({});
  });
});

describe('a plan with a bake and a guard in shadow', () => {
  const simple = planOf([3, 1], 1);
  const guards = simple.guards.map((each) =>
    each.name === 'g0' ? { ...each, shadow: true } : each,
  );
  const bake = { bake: 'night', hold: 1_000, atDeadline: 'ask' } as const;
  const shares = pinRisk({ ...simple, guards, steps: [...simple.steps, bake] }).shares;

  it('has a share for the bake, and none for what cannot roll back', () => {
    expect(shares).toEqual({ 'g1@s0': 0.5, 'g1@night': 0.5 });
  });
});

describe('the levels of the risk score', () => {
  it('are a tenth and a fifth of the one that rolls back, unless the plan says others', () => {
    const plan = planOf([1], 1);
    expect(riskLevels(plan)).toEqual({ notify: 5, hold: 10 });
    expect(riskLevels({ ...plan, levels: { hold: 40 } })).toEqual({ notify: 5, hold: 40 });
  });
});

describe('the risk score', () => {
  const pinned = pinRisk(planOf([3, 1], 2));

  it('begins at one', () => {
    expect(logRiskScore(pinned, {})).toBeCloseTo(0, 12);
    expect(logRiskScore(pinRisk(planOf([], 1)), {})).toBe(0);
  });

  it('is the average of the e-values by their shares', () => {
    const score = Math.exp(logRiskScore(pinned, { [shareKey('g0', 's0')]: Math.log(40) }));
    expect(score).toBeCloseTo(0.375 * 40 + 0.625, 10);
  });

  it('is at least 1/α once a guard has breached, and has no overflow', () => {
    const threshold = -Math.log(pinned.risk * 0.125);
    expect(logRiskScore(pinned, { 'g1@s1': threshold })).toBeGreaterThan(Math.log(1 / 0.02));
    expect(logRiskScore(pinned, { 'g1@s1': 1e6 })).toBeCloseTo(1e6 + Math.log(0.125), 6);
  });
});
