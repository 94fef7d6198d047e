import { describe, expect, it } from '@jest/globals';
import { plan as planSchema, type Plan } from '@tidegate/contracts';
import { policyFor } from './policy-for.ts';
import { pinRisk } from './risk.ts';
import { watchedStep } from './timing.ts';

const source = { scrape: ['http://a/metrics'] };
const prometheus = { prometheus: { scrapeInterval: '30s' } };
const counter = { metric: 'total' };
const arms = { canary: { where: { variant: 'on' } }, baseline: { where: { variant: 'off' } } };
const ratio = { type: 'ratio', source, bad: counter, total: counter };
const recorded = { recorded: { for: '1d' } };
const metrics = {
  errors: ratio,
  arms: { ...ratio, ...arms },
  before: { ...ratio, source: prometheus, baseline: recorded },
  slow: { type: 'latency', source, histogram: counter, over: '500ms' },
  orders: { type: 'rate', source, count: counter, per: '1m' },
  losses: { type: 'count', source, count: counter },
  memory: { type: 'value', source: prometheus, gauge: counter },
};
const planOf = (guard: object): Plan =>
  planSchema.parse({
    plan: 'p',
    flag: 'f',
    metrics,
    guards: [{ name: 'g', ...guard }],
    steps: [
      { stage: 'canary', percentage: 10, hold: '1m' },
      { bake: 'night', hold: '8h' },
      { stage: 'everyone', percentage: '100%', hold: '0s' },
    ],
  });
const policy = (guard: object, step = 'canary') => {
  const plan = planOf(guard);
  const [first] = plan.guards;
  const metric = first && plan.metrics[first.metric];
  if (!first || !metric) throw new Error('the plan has no guard');
  return policyFor(first, metric, watchedStep(plan, step), plan, pinRisk(plan));
};
const sequential = (more: object) => ({ judge: 'sequential', ...more });

describe('the policy of a guard', () => {
  it.each<[string, object, object]>([
    [
      'twice the limit',
      { metric: 'errors', limit: '1%' },
      { detect: 0.02, baseline: null, margin: null },
    ],
    ['half the way to all, of a high limit', { metric: 'errors', limit: '60%' }, { detect: 0.8 }],
    [
      'twice the limit of a rate, however high',
      { metric: 'orders', limit: 60 },
      { detect: 120, perMs: 60_000 },
    ],
    [
      'twice what the margin allows',
      { metric: 'arms', margin: '10%' },
      { detect: 2.2, baseline: 'concurrent' },
    ],
    [
      'twice what was recorded',
      { metric: 'before', margin: 0 },
      { detect: 2, baseline: 'recorded' },
    ],
    [
      'what the plan says',
      { metric: 'slow', limit: '5%', detect: '8%' },
      { detect: 0.08, overMs: 500 },
    ],
  ])('is there to see %s', (_what, guard, expected) => {
    expect(policy(sequential(guard))).toMatchObject(expected);
  });

  it('spends its share of the risk over the windows of its step', () => {
    const guard = sequential({ metric: 'errors', limit: '1%' });
    expect(policy(guard)).toMatchObject({ risk: 0.01 * (1 / 3), horizon: 12, everyone: false });
    expect(policy(guard, 'night')).toMatchObject({ horizon: 5_760, everyone: false });
    expect(policy(guard, 'everyone')).toMatchObject({ horizon: 1, everyone: true });
  });

  it('counts nothing as too much, unless a threshold is given', () => {
    const immediate = { judge: 'immediate', metric: 'losses' };
    expect(policy(immediate)).toMatchObject({ above: 0, below: null, kind: 'count' });
    expect(policy({ ...immediate, metric: 'memory', below: 3 })).toMatchObject({
      above: null,
      below: 3,
    });
  });

  it('takes samples as often as there is something new, and no more than can be kept', () => {
    const sustained = { judge: 'sustained', above: 1, for: '5m' };
    expect(policy({ ...sustained, metric: 'errors', above: '1%' })).toMatchObject({
      stepMs: 5_000,
      maxAgeMs: 15_000,
    });
    expect(policy({ ...sustained, metric: 'memory' })).toMatchObject({
      stepMs: 30_000,
      maxAgeMs: 90_000,
    });
    expect(policy({ ...sustained, metric: 'memory', for: '2d' })).toMatchObject({
      stepMs: 240_000,
    });
  });

  it('expects the split that its step makes, also in a bake', () => {
    const split = { judge: 'split', metric: 'arms' };
    expect(policy(split)).toMatchObject({ canaryShare: 0.1, everyone: false });
    expect(policy(split, 'night')).toMatchObject({ canaryShare: 0.1, everyone: false });
    expect(policy(split, 'everyone')).toMatchObject({ everyone: true });
    expect(policy({ ...split, canaryShare: '50%' })).toMatchObject({ canaryShare: 0.5 });
  });

  it('is none of a metric that the judge cannot judge', () => {
    const plan = planOf(sequential({ metric: 'errors', limit: '1%' }));
    const [guard] = plan.guards;
    const memory = plan.metrics['memory'];
    if (!guard || !memory) throw new Error('the plan has no guard');
    expect(() =>
      policyFor(guard, memory, watchedStep(plan, 'canary'), plan, pinRisk(plan)),
    ).toThrow('g: the sequential judge cannot judge a value.');
  });
});
