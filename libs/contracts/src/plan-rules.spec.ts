import { describe, expect, it } from '@jest/globals';
import { plan } from './plan.ts';
import { contradictions } from './plan-rules.ts';
import { readPlan } from './read-plan.ts';

const source = { scrape: ['http://a/metrics'] };
const prometheus = { prometheus: {} };
const counter = { metric: 'requests_total' };
const on = { where: { variant: 'on' } };
const off = { where: { variant: 'off' } };
const ratio = { type: 'ratio', source, bad: counter, total: counter };
const recorded = { recorded: { ago: '1h', for: '1d' } };

const metrics = {
  errors: ratio,
  compared: { ...ratio, canary: on, baseline: off },
  partly: { ...ratio, baseline: off },
  systems: { ...ratio, baseline: { ...off, source: prometheus } },
  recorded: { ...ratio, source: prometheus, baseline: recorded },
  orders: { type: 'rate', source, count: counter, canary: on, baseline: off },
  orders_before: { type: 'rate', source: prometheus, count: counter, baseline: recorded },
  slow: { type: 'latency', source, histogram: counter, over: '500ms' },
  losses: { type: 'count', source, count: counter },
  memory: { type: 'value', source: prometheus, gauge: counter },
  query: { type: 'promql', query: 'up' },
  complaints: { type: 'signal', signal: 'complaint' },
};
const steps: readonly object[] = [
  { stage: 'canary', percentage: 10, hold: '1m' },
  { bake: 'night', hold: '8h' },
];
const planOf = (guard: object, more: object = {}) => ({
  plan: 'p',
  flag: 'f',
  metrics,
  guards: [{ name: 'g', judge: 'sequential', metric: 'errors', ...guard }],
  steps,
  ...more,
});
/** Of the plan as it is written, and as it is read if it is well formed otherwise. */
const problems = (guard: object, more?: object): string[] => {
  const written = planOf(guard, more);
  return contradictions(written).map(({ path, message }) => `${path.join('.')} ${message}`);
};

const limit = '1%';
const sustained = { judge: 'sustained', metric: 'errors', above: '5%', for: '5m' };
const immediate = { judge: 'immediate' };

describe('a plan that says nothing twice', () => {
  it.each<[string, object, object?]>([
    ['a limit', { limit }],
    ['a limit and a worse regression', { limit, detect: '3%' }],
    ['a margin on a baseline at the same time', { metric: 'compared', margin: '10%' }],
    ['a margin and a limit', { metric: 'compared', margin: 0, limit, detect: 1.5 }],
    ['two systems', { metric: 'systems', margin: '50%' }],
    ['a margin on what was recorded', { metric: 'recorded', margin: '10%', detect: 2 }],
    ['a rate against what was recorded', { metric: 'orders_before', margin: '10%' }],
    ['an amount as the limit of a rate', { metric: 'orders_before', limit: 20, detect: 40 }],
    ['latency', { metric: 'slow', limit: '5%' }],
    ['a sustained share', sustained],
    ['a sustained gauge', { ...sustained, metric: 'memory', step: '15s' }],
    ['throughput that is too low', { ...sustained, metric: 'orders', above: undefined, below: 3 }],
    ['the first loss', { ...immediate, metric: 'losses' }],
    [
      'ten complaints in ten minutes',
      { ...immediate, metric: 'complaints', above: 9, within: '10m' },
    ],
    ['a query', { ...immediate, metric: 'query', below: 1 }],
    ['a split', { judge: 'split', metric: 'compared' }],
    ['levels', { limit }, { levels: { notify: 5, hold: 50 } }],
    ['levels that are none', { limit }, { risk: '30%' }],
    [
      'one variant after another',
      { limit },
      {
        steps: [
          { stage: 'shadow', variant: 'shadow', percentage: 100, hold: '1m' },
          { stage: 'few', variant: 'new', percentage: 10, hold: '1m' },
          { stage: 'all', percentage: 100, hold: '1m' },
        ],
      },
    ],
    [
      'a deadline',
      { limit },
      { steps: [{ bake: 'b', hold: '1m', deadline: '1h', atDeadline: 'advance' }] },
    ],
  ])('may have %s', (_what, guard, more = {}) => {
    expect(problems(guard, more)).toEqual([]);
    expect(plan.safeParse(planOf(guard, more)).success).toBe(true);
  });
});

describe('a contradiction', () => {
  it.each<[string, object, string, object?]>([
    ['against nothing', {}, 'guards.0 is against nothing; expected limit, margin or both'],
    [
      'a variant that closes after another one',
      { limit },
      'steps.2.percentage exposes less than an earlier stage; a rollout only opens, a rollback closes',
      {
        steps: [
          { stage: 'shadow', variant: 'shadow', percentage: 100, hold: '1m' },
          { stage: 'half', variant: 'new', percentage: 50, hold: '1m' },
          { stage: 'few', percentage: 10, hold: '1m' },
        ],
      },
    ],
    [
      'a margin on a baseline that is not there',
      { margin: '10%' },
      'guards.0.margin is on a baseline, and the metric "errors" has none',
    ],
    [
      'a whole against its part',
      { metric: 'partly', margin: '10%' },
      'guards.0.margin would compare the metric "partly" with a part of itself; expected a canary in the metric, or a source of its own for its baseline',
    ],
    [
      'rates of two parts',
      { metric: 'orders', margin: '10%' },
      'guards.0.margin "orders" is a rate: how often something happens depends on how much traffic each part gets; expected a recorded baseline',
    ],
    [
      'a regression within the limit',
      { limit, detect: '1%' },
      'guards.0.detect is no regression; expected at least 0.011',
    ],
    [
      'a regression so close to the limit that nobody waits for it',
      { limit, detect: '1.05%' },
      'guards.0.detect is too close to limit to be told from it; expected at least 0.011',
    ],
    [
      'a regression so close to the margin that it is never seen',
      { metric: 'compared', margin: '10%', detect: 1.12 },
      'guards.0.detect is too close to margin to be told from it; with margin it is how many times as bad as the baseline, expected at least 1.21',
    ],
    [
      'a limit that nobody can count',
      { limit: 1e-17, detect: '1%' },
      'guards.0.limit is so small that nothing can be told from it; expected at least 1e-9',
    ],
    [
      'a regression beyond all',
      { limit, detect: 1 },
      'guards.0.detect is a share of the requests; expected less than 100%',
    ],
    [
      'a regression within the margin',
      { metric: 'compared', margin: '10%', detect: 1.1 },
      'guards.0.detect is no regression; with margin it is how many times as bad as the baseline, expected at least 1.21',
    ],
    [
      'a share beyond all',
      { metric: 'slow', limit: 5 },
      'guards.0.limit must be between 0% and 100%, as "1%" or 0.01',
    ],
    [
      'no threshold',
      { ...sustained, above: undefined },
      'guards.0 has no threshold; expected above or below',
    ],
    [
      'a gauge without one',
      { ...immediate, metric: 'memory' },
      'guards.0 has no threshold; expected above or below',
    ],
    [
      'two thresholds',
      { ...sustained, below: '1%' },
      'guards.0.below stands beside above; expected one of them',
    ],
    [
      'a count that is too low',
      { ...immediate, metric: 'losses', below: 3 },
      'guards.0.below a count is too low before it begins; expected above',
    ],
    [
      'steps between checks',
      { ...sustained, step: '2s' },
      'guards.0.step is shorter than checkEvery; expected at least 5s',
    ],
    [
      'steps between scrapes',
      { ...sustained, metric: 'memory', step: '10s' },
      'guards.0.step is shorter than the metric’s scrapeInterval; expected at least 15s',
    ],
    [
      'less than one sample',
      { ...sustained, for: '4s' },
      'guards.0.for is shorter than one sample; expected at least 5s, its step',
    ],
    [
      'more samples than are kept',
      { ...sustained, for: '2h', step: '5s' },
      'guards.0.step makes more than 720 samples of 2h; expected at least 10s',
    ],
    [
      'a time of a gauge',
      { ...immediate, metric: 'memory', above: 3, within: '1m' },
      'guards.0.within only counts have a time, and "memory" is a value',
    ],
    [
      'a time between checks',
      { ...immediate, metric: 'losses', within: '2s' },
      'guards.0.within is over before the next check; expected at least 5s',
    ],
    [
      'a split of one',
      { judge: 'split' },
      'guards.0.metric "errors" is not split; expected a canary and a baseline at the same time in it',
    ],
    [
      'a split of then and now',
      { judge: 'split', metric: 'recorded' },
      'guards.0.metric "recorded" is not split; expected a canary and a baseline at the same time in it',
    ],
    [
      'a split of nobody knows how many',
      { judge: 'split', metric: 'compared' },
      'guards.0 expected canaryShare, as stage friends has no percentage',
      { steps: [{ stage: 'friends', users: ['ann'], hold: '1m' }] },
    ],
    [
      'a name that is taken',
      { limit, name: 'liveness' },
      'guards.0.name "liveness" is the guard that every plan has; expected another name',
    ],
    [
      'what nobody has recorded',
      { limit },
      'metrics.before.baseline.recorded needs a Prometheus that has recorded it; expected source: { prometheus: … }',
      { metrics: { ...metrics, before: { ...ratio, baseline: recorded } } },
    ],
    [
      'a level where it rolls back',
      { limit },
      'levels.hold is not below 100, where a risk of 1 % rolls back',
      { levels: { hold: 100 } },
    ],
    [
      'levels in the wrong order',
      { limit },
      'levels.notify is not below hold, which is 20',
      { levels: { notify: 20 } },
    ],
    [
      'a level below the other’s default',
      { limit },
      'levels.hold is not above notify, which is 10',
      { levels: { hold: 9 } },
    ],
    [
      'a deadline that never comes',
      { limit },
      'steps.0.atDeadline never comes; expected a deadline',
      { steps: [{ bake: 'b', hold: '1m', atDeadline: 'advance' }] },
    ],
  ])('is told: %s', (_what, guard, problem, more = {}) => {
    expect(problems(guard, more)).toEqual([problem]);
    expect(plan.safeParse(planOf(guard, more)).success).toBe(false);
  });

  it('is told of two guards with one name', () => {
    const guard = { name: 'g', judge: 'sequential', metric: 'errors', limit };
    expect(problems(guard, { guards: [guard, guard] })).toEqual([
      'guards.1 "g" stands twice; each of the guards needs its own name',
    ]);
  });
});

describe('a plan whose verdicts or evidence would not fit into a message or a document', () => {
  const scraping = (addresses: number, parts: object = {}) => ({
    ...ratio,
    ...parts,
    source: { scrape: Array.from({ length: addresses }, (_, i) => `http://pod-${i}/metrics`) },
  });
  const guarding = (guards: number, metric: object) => ({
    ...planOf({}),
    metrics: { errors: metric },
    guards: Array.from({ length: guards }, (_, i) => ({
      name: `g${i}`,
      judge: 'sequential',
      metric: 'errors',
      limit,
    })),
  });
  const said = (given: object) => {
    const read = readPlan(JSON.stringify(given));
    return 'plan' in read ? [] : read.problems.map(({ path, message }) => `${path} ${message}`);
  };

  it.each<[string, object, unknown]>([
    ['30 guards', guarding(30, ratio), []],
    [
      '31 guards',
      guarding(31, ratio),
      ['guards more guards than one message has room for; expected at most 30'],
    ],
    ['50 addresses', guarding(8, scraping(50)), []],
    [
      '51 addresses',
      guarding(1, scraping(51)),
      [
        'metrics.errors.source.scrape more addresses than a check reads; expected at most 50, or a Prometheus that scrapes them',
      ],
    ],
    [
      'nine guards of 50 addresses',
      guarding(9, scraping(50)),
      [
        'guards read 450 addresses in all, each guard those of its metric and of a baseline at the same time; expected at most 400, or a Prometheus that scrapes them',
      ],
    ],
    [
      'five comparisons in 50 addresses',
      guarding(5, scraping(50, { canary: on, baseline: off })),
      [expect.stringContaining('read 500 addresses in all')],
    ],
  ])('is refused, and told how much is enough: %s', (_what, given, expected) => {
    expect(said(given)).toEqual(expected);
  });
});
