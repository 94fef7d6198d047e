import { describe, expect, it } from '@jest/globals';
import { readPlan } from './read-plan.ts';

const lines = (text: string): string[] => {
  const read = readPlan(text);
  if (!('problems' in read)) throw new Error('there was no problem');
  return read.problems.map(
    ({ line, column, path, message }) => `${line}:${column} ${path} ${message}`,
  );
};

const good = `
plan: demo
flag: checkout-v2
metrics:
  errors:
    type: ratio
    source: { scrape: ['http://127.0.0.1:7411/metrics'] }
    bad: { metric: requests_total, where: { status: [error, timeout] } }
    total: { metric: requests_total }
  violations:
    type: count
    source: { scrape: ['http://127.0.0.1:7411/metrics'] }
    count: { metric: violations_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1% }
  - { name: invariant, judge: immediate, metric: violations }
steps:
  - { migrate: order-totals, action: execute, batchSize: 200 }
  - { approve: review }
  - { stage: canary, percentage: 10, hold: 1m30s }
  - { stage: all, percentage: "100%", hold: 5s }
`;

const edit = (from: string, to: string): string => {
  if (!good.includes(from)) throw new Error(`the plan has no ${from}`);
  return good.replace(from, to);
};

describe('a plan', () => {
  it('is read with its defaults, durations in ms, percentages in thousandths, limits as shares', () => {
    const read = readPlan(good);
    if ('problems' in read) throw new Error(read.problems.map(({ message }) => message).join('\n'));
    expect(read.plan).toMatchObject({
      risk: 0.01,
      checkEvery: 5_000,
      pageAfter: 120_000,
      guards: [
        { limit: 0.01, weight: 1 },
        { judge: 'immediate', shadow: false },
      ],
    });
    const said = edit(
      'batchSize: 200 }',
      'onFailure: revert }\n  - { migrate: others, action: execute, onFailure: stop }',
    );
    expect(readPlan(said)).toHaveProperty('plan');
    expect(read.plan.steps).toEqual([
      { migrate: 'order-totals', action: 'execute', batchSize: 200 },
      { approve: 'review', role: 'approver' },
      { stage: 'canary', percentage: 10_000, hold: 90_000, atDeadline: 'ask' },
      { stage: 'all', percentage: 100_000, hold: 5_000, atDeadline: 'ask' },
    ]);
  });

  it('may read each metric where it is: scraped, from a Prometheus, or from the configured one', () => {
    const text = edit(
      "source: { scrape: ['http://127.0.0.1:7411/metrics'] }",
      'source: { prometheus: { url: "http://prometheus:9090", scrapeInterval: 30s } }',
    ).replace("{ scrape: ['http://127.0.0.1:7411/metrics'] }", '{ prometheus: {} }');
    expect(readPlan(text)).toMatchObject({
      plan: {
        metrics: {
          errors: {
            source: { prometheus: { url: 'http://prometheus:9090', scrapeInterval: 30_000 } },
          },
          violations: { source: { prometheus: { scrapeInterval: 15_000 } } },
        },
      },
    });
  });

  it('may be JSON', () => {
    const read = readPlan(good);
    const json =
      '{"plan":"demo","flag":"f","steps":[{"stage":"all","percentage":100,"hold":"0s"}]}';
    expect('plan' in read && 'plan' in readPlan(json)).toBe(true);
  });
});

describe('a problem names its line, its path and what was expected', () => {
  it.each([
    ['an empty text', '', ['1:1  expected object, received null']],
    ['a list', '- a\n- b', ['1:1  expected object, received array']],
    [
      'fields that are missing or of another type',
      'steps: 3',
      [
        '1:1 plan is missing; expected string',
        '1:1 flag is missing; expected string',
        '1:1 steps expected array, received number',
      ],
    ],
    ['a field that stands twice', 'plan: x\nplan: y\n', ['2:1  Map keys must be unique']],
    [
      'text that is no YAML',
      'a: [',
      ['1:5  Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    [
      'names, durations and shares that are none, each in its line',
      edit('flag: checkout-v2', 'flag: -v2\ncheckEvery: 1ms\nrisk: 2\npageAfter: soon'),
      [
        '3:1 flag must be letters, digits, ".", "_" or "-", 1 to 128 of them, beginning and ending with a letter or digit',
        '4:1 checkEvery must be at least 200ms',
        '5:1 risk "2" is not between 0% and 100%, as "1%" or 0.01.',
        '6:1 pageAfter "soon" is not a duration such as 30s, 15m or 1h30m.',
      ],
    ],
    [
      'a misspelt field, and what its absence means',
      edit('percentage: 10,', 'percentag: 10,'),
      [
        '20:5 steps.2 a stage that changes nothing; expected percentage, variant or users',
        '20:22 steps.2.percentag "percentag" is not known here',
      ],
    ],
    [
      'an unknown judge beside a missing hold',
      edit('judge: immediate', 'judge: immediat').replace(' hold: 5s', ''),
      [
        '16:24 guards.1.judge expected sequential, sustained, immediate or split',
        '21:5 steps.3.hold is missing; expected string',
      ],
    ],
    [
      'an unknown kind of metric, action and step',
      edit('type: count', 'type: cnt')
        .replace('action: execute', 'action: exec')
        .replace('approve: review', 'hold: 5s'),
      [
        '11:5 metrics.violations.type expected ratio, latency, count, rate, value, signal, promql or alert',
        '18:30 steps.0.action expected one of "plan"|"backup"|"execute"|"verify"|"revert"|"cutover"|"cleanup"',
        '19:5 steps.1.stage is missing; expected string',
      ],
    ],
    [
      'a guard of a metric that is not there, also while another line is malformed',
      edit('metric: violations }', 'metric: violation }').replace('limit: 1%', 'limit: 100%'),
      [
        '15:60 guards.0.limit must be between 0% and 100%, as "1%" or 0.01',
        '16:42 guards.1.metric there is no metric "violation"; expected one of errors, violations',
      ],
    ],
    [
      'a guard of a metric that its judge cannot test',
      edit('metric: errors,', 'metric: violations,'),
      [
        '15:44 guards.0.metric the sequential judge needs ratio, latency, rate, and "violations" is a count',
      ],
    ],
    [
      'an address that cannot be scraped',
      edit("['http://127.0.0.1:7411/metrics']", "['ftp://127.0.0.1/']"),
      ['7:24 metrics.errors.source.scrape.0 Invalid URL'],
    ],
    [
      'a Prometheus without an address, and one that is asked for too much',
      edit(
        "{ scrape: ['http://127.0.0.1:7411/metrics'] }",
        '{ prometheus: { url: prometheus } }',
      ).replace(
        "source: { scrape: ['http://127.0.0.1:7411/metrics'] }",
        'source: { prometheus: { scrapeInterval: 0s, step: 15s } }',
      ),
      [
        '7:29 metrics.errors.source.prometheus.url Invalid URL',
        '12:29 metrics.violations.source.prometheus.scrapeInterval must be at least 1ms',
        '12:49 metrics.violations.source.prometheus.step "step" is not known here',
      ],
    ],
    [
      'a metric that comes from two places, and one from nowhere',
      edit(
        "{ scrape: ['http://127.0.0.1:7411/metrics'] }",
        "{ scrape: ['http://a/'], prometheus: {} }",
      ).replace("{ scrape: ['http://127.0.0.1:7411/metrics'] }", '{}'),
      [
        '7:38 metrics.errors.source.prometheus "prometheus" is not known here',
        '12:5 metrics.violations.source.scrape is missing; expected array',
      ],
    ],
    [
      'a name of a metric that no exporter can have',
      edit('metric: violations_total', 'metric: violations-total'),
      [
        '13:14 metrics.violations.count.metric must be the name of a metric, such as checkout_requests_total',
      ],
    ],
    [
      'a stage that closes, and a name that stands twice',
      edit('stage: all, percentage: "100%"', 'stage: canary, percentage: 5'),
      [
        '21:5 steps.3 "canary" stands twice; each of the steps needs its own name',
        '21:22 steps.3.percentage exposes less than an earlier stage; a rollout only opens, a rollback closes',
      ],
    ],
    [
      'a stage that would close before it could be known that nobody looks after it',
      edit('percentage: 10,', 'percentage: 10, closeIfSilentFor: 29s,'),
      ['20:38 steps.2.closeIfSilentFor must be at least 30s'],
    ],
    [
      'a stage that would close because a check is late',
      edit('percentage: 10,', 'percentage: 10, closeIfSilentFor: 30s,').replace(
        'flag: checkout-v2',
        'flag: checkout-v2\ncheckEvery: 20s',
      ),
      [
        '21:38 steps.2.closeIfSilentFor closes between two checks; expected at least 1m, 3 times checkEvery',
      ],
    ],
    [
      'a number of requests, where a regression must be named',
      edit('hold: 1m30s }', 'hold: 1m30s, minTrials: 200 }'),
      [
        '20:51 steps.2.minTrials "minTrials" is not known any more; say with "detect" of a sequential guard which regression must be seen before a stage is left',
      ],
    ],
    [
      'options of a migration that mean nothing to its action',
      edit('action: execute', 'action: plan, onFailure: revert'),
      ['18:44 steps.0.onFailure means something only to execute, verify and cutover'],
    ],
    [
      'an execute that a rollback could not revert before what it may depend on',
      edit(
        'batchSize: 200 }',
        'onFailure: revert }\n  - { migrate: order-totals, action: cutover }\n  - { migrate: read-totals, action: execute }\n  - { migrate: read, action: cutover }',
      ),
      [
        '20:5 steps.2.onFailure is missing; expected revert where it depends on order-totals, which a rollback could not revert otherwise, or stop where it does not',
        '21:5 steps.3.onFailure is missing; expected revert where it depends on order-totals, which a rollback could not revert otherwise, or stop where it does not',
      ],
    ],
    [
      'aliases that unfold without end',
      'a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]',
      ['1:1  Excessive alias count indicates a resource exhaustion attack'],
    ],
    [
      'a text that is too long',
      `${good}${'#\n'.repeat(40_000)}`,
      [`32441:1  a plan of ${good.length + 80_000} characters; expected at most 65536`],
    ],
  ])('%s', (_what, text, expected) => {
    expect(lines(text)).toEqual(expected);
  });
});
