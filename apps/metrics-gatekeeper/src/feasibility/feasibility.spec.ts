import { describe, expect, it } from '@jest/globals';
import { manualClock } from '@tidegate/kernel/testing';
import { type MetricsSource, seriesSource } from '@tidegate/metrics-source';
import { recordedSource } from '@tidegate/metrics-source/testing';
import { counter, planFrom, START } from '../rehearse/recorded.memory.ts';
import { createFeasibility } from './feasibility.handler.ts';
import { createWarnings } from './warnings.handler.ts';

const TARGET = 'http://127.0.0.1:9/metrics';
const planReading = (source: string, arm = '') =>
  planFrom(`
plan: p
flag: f
metrics:
  errors:
    type: ratio
    source: ${source}
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
    ${arm}
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1% }
steps:
  - { stage: canary, percentage: 5, hold: 15m }
  - { stage: all, percentage: 100, hold: 15m }
`);
const CANARY = 'canary: { where: { version: new } }';

/** Six minutes of 10 requests a second of the old version, of which one in a hundred fails. */
const prometheus = seriesSource(
  [
    ['ok', 149],
    ['error', 1.5],
  ].map(([status, each]) =>
    counter('requests_total', { version: 'old', status: String(status) }, () => Number(each), {
      everyMs: 15_000,
      scrapes: 25,
    }),
  ),
);
const clock = manualClock(START + 360_000);

describe('the traffic of a plan', () => {
  it('is measured from the last minutes, whoever has the new version, and divided by the stages', async () => {
    const find = createFeasibility({ source: prometheus, clock });
    const plan = planReading('{ prometheus: {} }', CANARY);
    const { from, traffic, guards } = await find({ plan, environment: 'production' });
    expect(from).toBe('measured');
    expect(traffic['errors']?.perSecond).toBeCloseTo(10, 0);
    expect(traffic['errors']?.badShare).toBeCloseTo(0.01, 2);
    expect(guards.map(({ step, perSecond }) => [step, Math.round((perSecond ?? 0) * 10)])).toEqual([
      ['canary', 5],
      ['all', 100],
    ]);
  });

  it('is what somebody says, where it is said', async () => {
    const find = createFeasibility({ source: prometheus, clock });
    const plan = planReading('{ prometheus: {} }');
    const told = await find({ plan, environment: 'production', rps: 10, errorRate: 0.001 });
    expect(told.from).toBe('stated');
    expect(told.guards[0]).toMatchObject({ requests: 450 });
    expect(told.warnings[0]).toContain('At 10 requests/s the 5 % step canary of 15m sees 450');
  });

  it('of what is scraped directly is counted for a moment', async () => {
    const source = recordedSource();
    source.record(TARGET, 0, (at) => `requests_total{status="ok"} ${at / 10}\n`);
    const moving = manualClock(START);
    const reads: MetricsSource = {
      read: async (...args) => {
        const readings = await source.read(...args);
        moving.advance(1_000);
        return readings;
      },
    };
    const find = createFeasibility({ source: reads, clock: moving, apartMs: 0 });
    const plan = planReading(`{ scrape: ['${TARGET}'] }`, CANARY);
    const { traffic } = await find({ plan, environment: 'production' });
    expect(traffic['errors']?.perSecond).toBeCloseTo(100, 0);
  });
});

describe('warnings at the start of a rollout', () => {
  it('say what cannot be seen with the traffic that there is', async () => {
    const warn = createWarnings({ source: prometheus, clock });
    const warnings = await warn(planReading('{ prometheus: {} }', CANARY), 'production');
    expect(warnings).toEqual([expect.stringContaining('with 80 % power it can see')]);
  });

  it('are few: the first of each guard, then others, and how many more there are', async () => {
    const plan = planReading('{ prometheus: {} }', CANARY);
    const [guard] = plan.guards;
    const [step] = plan.steps;
    if (!guard || !step || !('stage' in step)) throw new Error('not this plan');
    const many = {
      ...plan,
      guards: ['a', 'b', 'c'].map((name) => ({ ...guard, name })),
      steps: ['one', 'two', 'three'].map((stage) => ({ ...step, stage })),
    };
    const warnings = await createWarnings({ source: prometheus, clock })(many, 'production');
    expect(warnings).toEqual([
      expect.stringMatching(/step one .* a: with/),
      expect.stringMatching(/step one .* b: with/),
      expect.stringMatching(/step one .* c: with/),
      expect.stringMatching(/step two .* a: with/),
      'And 5 more: tidegate plan feasibility p',
    ]);
  });

  it('say why nobody knows how much there is: no new version yet, no past, no answer', async () => {
    const warn = createWarnings({ source: prometheus, clock });
    expect(await warn(planReading(`{ scrape: ['${TARGET}'] }`), 'production')).toEqual([
      expect.stringMatching(/^error-rate: errors is scraped directly, .* It takes .* requests/),
    ]);
    const nobody = createWarnings({ source: recordedSource(), clock });
    expect(await nobody(planReading('{ prometheus: {} }'), 'production')).toEqual([
      expect.stringMatching(/^error-rate: prometheus could not be read/),
    ]);
  });

  it('are never what a start fails by, or waits for', async () => {
    const broken: MetricsSource = { read: () => Promise.reject(new Error('no idea')) };
    const plan = planReading('{ prometheus: {} }');
    expect(await createWarnings({ source: broken, clock })(plan, 'production')).toEqual([
      'What this plan can see is not known: no idea',
    ]);
    const hanging: MetricsSource = { read: () => new Promise(() => undefined) };
    expect(await createWarnings({ source: hanging, clock }, 1)(plan, 'production')).toEqual([
      expect.stringContaining('its metrics were not read within'),
    ]);
  });
});
