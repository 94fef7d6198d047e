import { describe, expect, it } from '@jest/globals';
import { isWatchedStep, type Plan, readPlan } from '@tidegate/contracts';
import { logEvidenceRateBelow, priorFor, trialsToCertify } from '@tidegate/statistics';
import { assess } from './assess.ts';
import { feasibilityOf, type MetricTraffic } from './feasibility.ts';
import { policyFor } from './policy-for.ts';
import { pinRisk } from './risk.ts';

const METRICS = `
  errors:
    type: ratio
    source: { prometheus: {} }
    bad: { metric: requests_total, where: { code: '500' } }
    total: { metric: requests_total }
    canary: { where: { variant: 'on' } }
    baseline: { where: { variant: 'off' } }
  rejected: { type: rate, source: { prometheus: {} }, count: { metric: rejected_total }, per: 1m }
  slow: { type: value, source: { prometheus: {} }, gauge: { metric: lag_seconds } }`;

function planWith(guard: string, step = '{ stage: canary, percentage: 5, hold: 15m }'): Plan {
  const read = readPlan(`
plan: p
flag: f
risk: 1%
metrics:${METRICS}
guards:
  - { name: g, ${guard} }
steps:
  - ${step}
`);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.plan;
}

const traffic = (perSecond: number | null, badShare: number | null = 0.001): MetricTraffic => ({
  perSecond,
  badShare,
  divided: true,
});
function only(plan: Plan, known: MetricTraffic) {
  const [feasible] = feasibilityOf(plan, { errors: known, rejected: known, slow: known });
  if (!feasible) throw new Error('nothing was judged');
  return feasible;
}
const LIMIT = 'judge: sequential, metric: errors, limit: 0.2%';

it.each([
  [LIMIT, 50],
  ['judge: sequential, metric: errors, margin: 50%', 500],
  ['judge: sequential, metric: errors, margin: 50%, limit: 1%', 500],
])('asks for as much as the gate asks for when it comes to it: %s', (judge, rps) => {
  const plan = planWith(judge);
  const { seenAfterMs } = only(plan, traffic(rps));
  const { guards, steps, metrics } = plan;
  const [guard] = guards;
  const [step] = steps;
  const metric = metrics['errors'];
  if (!guard || !step || !isWatchedStep(step) || !metric) throw new Error('not this plan');
  const policy = policyFor(guard, metric, step, plan, pinRisk(plan));
  const passesAt = (ms: number) => {
    const all = (rps * ms) / 1_000;
    const counts = (share: number) => ({ bad: all * share * 0.001, total: all * share });
    const baseline = { ...counts(0.95), expected: all * 0.001 * 0.05 };
    const since = [{ start: 0, ...counts(0.05), baseline }];
    return assess(policy, { ageMs: 0, missing: null, since, window: 0 }).outcome;
  };
  expect(passesAt((seenAfterMs ?? 0) * 1.02)).toBe('pass');
  expect(passesAt((seenAfterMs ?? 0) * 0.98)).toBe('hold');
});

describe('what a plan can see', () => {
  it('is little at low traffic: a 5 % canary of 10 requests/s for 15 minutes cannot certify 0.2 %', () => {
    const { requests, power, smallest, provable, warnings } = only(planWith(LIMIT), traffic(10));
    expect(requests).toBe(450);
    expect(power).toBeLessThan(0.05);
    expect(smallest).toBeGreaterThan(0.015);
    expect(provable).toBeCloseTo(0.0139, 3);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^At 10 requests\/s the 5 % step canary of 15m sees 450 requests\. g: with 80 % power it can see [12](\.\d)? %, not 0\.4 %; that takes \d+ 000 requests, .*It cannot prove less than 1\.4 %, however good the version is\.$/,
      ),
    ]);
  });

  it('is enough where the traffic is: then there is nothing to warn of', () => {
    const { seenAfterMs, passesAfterMs, power, warnings } = only(planWith(LIMIT), traffic(1_000));
    expect(seenAfterMs).toBeLessThan(15 * 60_000);
    expect(passesAfterMs).toBe(15 * 60_000);
    expect(power).toBeGreaterThan(0.8);
    expect(warnings).toEqual([]);
  });

  it('grows with the traffic, the hold time and the size of the regression', () => {
    const power = (rps: number, hold: string, detect: string) =>
      only(
        planWith(`${LIMIT}, detect: ${detect}`, `{ stage: c, percentage: 5, hold: ${hold} }`),
        traffic(rps),
      ).power ?? 0;
    const base = power(100, '15m', '1%');
    expect(power(200, '15m', '1%')).toBeGreaterThan(base);
    expect(power(100, '30m', '1%')).toBeGreaterThan(base);
    expect(power(100, '15m', '2%')).toBeGreaterThan(base);
  });

  it('of a comparison depends on how often the baseline fails', () => {
    const compare = planWith('judge: sequential, metric: errors, margin: 10%');
    const seldom = only(compare, traffic(100, 0.001));
    const often = only(compare, traffic(100, 0.01));
    expect(often.seenAfterMs).toBeLessThan(seldom.seenAfterMs ?? 0);
    expect(often.needed).toBe(seldom.needed);
    expect(seldom.warnings).toEqual([expect.stringContaining('times the baseline')]);
    expect(only(compare, traffic(100, 0)).seenAfterMs).toBe(Infinity);
  });

  it('of events in a time is the same whatever the traffic', () => {
    const rate = planWith('judge: sequential, metric: rejected, limit: 3');
    const { seenAfterMs, requests } = only(rate, traffic(null));
    expect(seenAfterMs).toBeLessThan(15 * 60_000);
    expect(requests).toBe(null);
  });

  it('of a sustained threshold is nothing within a stage that is shorter, or without requests', () => {
    const sustained = 'judge: sustained, metric: errors, above: 5%, for: 5m';
    const short = only(planWith(sustained, '{ stage: c, percentage: 5, hold: 1m }'), traffic(1e3));
    expect(short.warnings).toEqual([expect.stringContaining('breaches after 5m')]);
    const quiet = only(planWith(sustained), traffic(1));
    expect(quiet.warnings).toEqual([expect.stringContaining('it can hardly ever breach')]);
    expect(only(planWith(sustained), traffic(1e3)).warnings).toEqual([]);
  });
});

it('says when a deadline comes before enough has been seen', () => {
  const step = '{ stage: canary, percentage: 5, hold: 15m, deadline: 1h, atDeadline: advance }';
  expect(only(planWith(LIMIT, step), traffic(10)).warnings).toEqual([
    expect.stringContaining('Its deadline of 1h comes first: it goes on without having seen it.'),
  ]);
});

it('says what it does not know: the traffic, or who is in a stage for named users', () => {
  const unknown = only(planWith(LIMIT), traffic(null));
  expect(unknown).toMatchObject({ requests: null, power: null, seenAfterMs: null });
  expect(unknown.warnings).toEqual([
    expect.stringMatching(/how many requests errors counts is not known. It takes .* to see 0.4 %/),
  ]);
  const named = only(planWith(LIMIT, '{ stage: team, users: [alex], hold: 1h }'), traffic(1e3));
  expect(named.warnings).toEqual([expect.stringContaining('said by name')]);
});

it('knows when a version can never be proven good, and how long it takes where it can', () => {
  const proven = planWith(`${LIMIT}, gate: proven-good`);
  expect(only(proven, traffic(5e3, 0.003)).warnings).toEqual([
    expect.stringContaining('can never be proven good'),
  ]);
  expect(only(proven, traffic(5e3, 0.0001)).warnings).toEqual([]);
});

describe('what it takes to be proven good', () => {
  it('is what the judge asks for: its own evidence, at its own threshold', () => {
    const proven = planWith(`${LIMIT}, gate: proven-good`);
    const { provable, requests } = only(proven, traffic(100));
    const limit = provable ?? 1;
    const asked = { errors: 0, trials: requests ?? 0, limit, ...priorFor(limit) };
    expect(logEvidenceRateBelow(asked)).toBeCloseTo(Math.log(100), 1);
    const wanted = { limit: 0.002, rate: 0.001, threshold: Math.log(100), power: 0.8 };
    const { passesAfterMs } = only(proven, traffic(100));
    expect(passesAfterMs).toBe(Math.ceil((trialsToCertify(wanted) / 5) * 1_000));
  });

  it('of a comparison is more than not to be proven bad, and never there where no margin is left', () => {
    const margin = (share: string, gate: string) =>
      only(
        planWith(`judge: sequential, metric: errors, margin: ${share}, gate: ${gate}`),
        traffic(1_000),
      );
    const after = (gate: string) => margin('50%', gate).passesAfterMs ?? 0;
    expect(after('proven-good')).toBeGreaterThan(after('not-proven-bad'));
    expect(after('proven-good')).toBeLessThan(Infinity);
    expect(after('none')).toBe(15 * 60_000);
    const never = margin('0%', 'proven-good');
    expect(never.passesAfterMs).toBe(Infinity);
    expect(never.warnings).toContain(
      'g in canary can never be proven good: as bad as the baseline is not proven to be within its margin.',
    );
  });
});

it('can be told of a stage that all but everybody is in', () => {
  const step = '{ stage: most, percentage: 99.999, hold: 15m }';
  const { seenAfterMs } = only(
    planWith('judge: sequential, metric: errors, margin: 50%', step),
    traffic(1_000),
  );
  expect(seenAfterMs).toBeGreaterThan(0);
});

it('is judged by its limit, and said so, where everybody has the new version', () => {
  const both = 'judge: sequential, metric: errors, margin: 50%, limit: 5%, detect: 10';
  const all = '{ stage: all, percentage: 100, hold: 1s }';
  const { warnings } = only(planWith(both, all), traffic(10));
  expect(warnings).toEqual([expect.stringContaining('not 50 %; that takes')]);
  expect(warnings.join()).not.toContain('baseline');
});

it('is not warned of what was recorded before, which the first check reads, and has three digits', () => {
  const recorded = METRICS.replace('per: 1m }', 'per: 1m, baseline: { recorded: { for: 1d } } }');
  const read = (guard: string) => {
    const plan = readPlan(`
plan: p
flag: f
metrics:${recorded}
guards:
  - { name: g, judge: sequential, metric: rejected, ${guard} }
steps:
  - { stage: canary, percentage: 5, hold: 1m }
`);
    if ('problems' in plan) throw new Error(JSON.stringify(plan.problems));
    return plan.plan;
  };
  const unknown = feasibilityOf(read('margin: 10%'), {});
  expect(unknown.flatMap(({ warnings }) => warnings)).toEqual([]);
  const [known] = feasibilityOf(read('limit: 3.3333'), { rejected: traffic(null) });
  expect(known?.warnings.join()).toMatch(/ \d+(\.\d{1,2})? in 1m, not 6\.67 in 1m/);
});
