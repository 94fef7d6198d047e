import { describe, expect, it } from '@jest/globals';
import { type Guard, type Metric, plan as planSchema, type Plan } from '@tidegate/contracts';
import type { Reading } from '@tidegate/metrics-source';
import { type RecordedAnswer, recordedSource } from '@tidegate/metrics-source/testing';
import fc from 'fast-check';
import { MOST_SERIES } from './counters.ts';
import { advance, type GuardEvidence, openEvidence } from './evidence.ts';
import { factsOf } from './facts-of.ts';
import { readsOf } from './reads.ts';
import { type Watch, watchOf } from './watch.ts';

const A = 'http://a/metrics';
const B = 'http://b/metrics';
const ratioOf = (...scrape: string[]): Metric => ({
  type: 'ratio',
  source: { scrape },
  bad: { metric: 'requests_total', where: { variant: 'new', code: ['500', '503'] } },
  total: { metric: 'requests_total', where: { variant: 'new' } },
});
const critical: Metric = {
  type: 'count',
  source: { scrape: [A] },
  count: { metric: 'critical_total', where: { variant: 'new' } },
};
const START = 1_790_000_000_000;

const planOf = (...metrics: readonly Metric[]): Plan => {
  const guards = metrics.map(({ type }, i) => ({
    name: `g${i}`,
    metric: `m${i}`,
    ...(type === 'count' ? { judge: 'immediate' } : { judge: 'sequential', limit: 0.01 }),
  }));
  const steps = [{ stage: 'canary', percentage: 10, hold: '10m' }];
  const plan = planSchema.parse({ plan: 'p', flag: 'f', guards: [], metrics: {}, steps });
  const named = Object.fromEntries(metrics.map((metric, i) => [`m${i}`, metric]));
  return { ...plan, metrics: named, guards: guards as unknown as Guard[] };
};
const watching = (metric: Metric): Watch => {
  const plan = planOf(metric);
  const watch = watchOf(plan, plan.guards[0] as Guard, { stage: 'canary' });
  if (!watch) throw new Error('nothing is watched');
  return watch;
};
const opened = (metric: Metric, former?: GuardEvidence): GuardEvidence =>
  openEvidence(watching(metric), { openedAt: START, windowMs: 5_000, former });
const told = (
  evidence: GuardEvidence,
  metric: Metric,
  readings: readonly Reading[],
): GuardEvidence =>
  advance(evidence, watching(metric), new Map(readings.map((each) => [each.target, each])), {
    openedAt: START,
  });
const countsOf = (evidence: GuardEvidence): readonly number[] => {
  const { since, value } = factsOf(evidence, START);
  return since ? [since[0]?.bad ?? 0, since[0]?.total ?? 0] : [value ?? 0, 0];
};

/** Requests of the canary and of the old version, whose errors must not matter. */
const requests = (good: number, bad?: number): string =>
  [
    '# TYPE requests_total counter',
    'requests_total{variant="old",code="500"} 9999',
    `requests_total{variant="new",code="200"} ${good}`,
    ...(bad === undefined ? [] : [`requests_total{variant="new",code="500"} ${bad}`]),
    '',
  ].join('\n');
const NO_CANARY = 'requests_total{variant="old",code="200"} 100\n';

/** Readings of one check: `seconds` after the start, each target with its answer. */
async function check(
  metric: Metric,
  seconds: number,
  answers: Record<string, RecordedAnswer>,
): Promise<readonly Reading[]> {
  const source = recordedSource();
  for (const [target, answer] of Object.entries(answers)) source.record(target, 0, answer);
  return source.read(readsOf(planOf(metric), 'test'), START + seconds * 1_000);
}

/** What is known after these checks, every one told twice. */
async function after(
  metric: Metric,
  checks: readonly (readonly [seconds: number, answers: Record<string, RecordedAnswer>])[],
  from: GuardEvidence = opened(metric),
): Promise<GuardEvidence & { counts: readonly number[]; kind: string | null }> {
  let evidence = from;
  for (const [seconds, answers] of checks) {
    const readings = await check(metric, seconds, answers);
    evidence = told(evidence, metric, readings);
    expect(told(evidence, metric, readings)).toEqual(evidence);
    expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
  }
  const { missing } = evidence;
  return { ...evidence, counts: countsOf(evidence), kind: missing?.kind ?? null };
}

describe('evidence', () => {
  it('counts what the canary did between two checks, and nothing of before the first', async () => {
    expect(
      await after(ratioOf(A), [
        [5, { [A]: requests(1_000, 50) }],
        [10, { [A]: requests(1_090, 60) }],
      ]),
    ).toMatchObject({ counts: [10, 100], kind: null, lastSuccessAt: START + 10_000 });
  });

  it('keeps the counts by the time at which they were seen', async () => {
    const { windows } = await after(ratioOf(A), [
      [0, { [A]: requests(0, 0) }],
      [4, { [A]: requests(10, 1) }],
      [11, { [A]: requests(30, 2) }],
    ]);
    expect(windows?.rows).toEqual([
      [0, 1, 11],
      [2, 1, 21],
    ]);
  });

  it('sums its targets, and counts each from its own first reading', async () => {
    expect(
      await after(ratioOf(A, B), [
        [5, { [A]: requests(100, 1), [B]: 'unreachable' }],
        [10, { [A]: requests(110, 2), [B]: requests(500, 5) }],
        [15, { [A]: requests(120, 2), [B]: requests(530, 7) }],
      ]),
    ).toMatchObject({ counts: [1 + 2, 21 + 32], kind: null });
  });

  it('counts a canary from zero that the reading before lacked', async () => {
    expect(
      await after(ratioOf(A), [
        [5, { [A]: NO_CANARY }],
        [10, { [A]: requests(40, 2) }],
      ]),
    ).toMatchObject({ counts: [2, 42], kind: null });
  });

  it('takes errors that nobody has had yet for none, as long as there are requests', async () => {
    expect(
      await after(ratioOf(A), [
        [5, { [A]: requests(100) }],
        [10, { [A]: requests(200) }],
        [15, { [A]: requests(250, 3) }],
      ]),
    ).toMatchObject({ counts: [3, 153], kind: null });
  });

  it('is not confused by a restart', async () => {
    expect(
      await after(ratioOf(A), [
        [5, { [A]: requests(1_000, 50) }],
        [10, { [A]: requests(1_100, 51) }],
        [15, { [A]: requests(30) }],
        [20, { [A]: requests(60, 4) }],
      ]),
    ).toMatchObject({ counts: [1 + 4, 101 + 30 + 34], kind: null });
  });

  it.each([
    ['unreachable', 'query-error'],
    ['timeout', 'query-error'],
    ['bad-status', 'query-error'],
    ['too-large', 'query-error'],
    ['<html>\n', 'query-error'],
    [NO_CANARY, 'empty'],
    ['', 'empty'],
    [requests(Number.NaN, 1), 'nan'],
    [requests(110, -1), 'nan'],
    ['requests_total{variant="new",code="200"} +Inf\n', 'nan'],
    [`${requests(110)}${requests(110)}`, 'wrong-cardinality'],
    [
      Array.from(
        { length: MOST_SERIES + 1 },
        (_, i) => `requests_total{variant="new",code="200",path="/${i}"} 1\n`,
      ).join(''),
      'wrong-cardinality',
    ],
    ['requests_total{variant="new",code="200"} 1e300\n', 'nan'],
    [`requests_total{variant="new",code="200"} 110 ${START - 60_000}\n`, 'stale'],
  ])(
    'names what is missing in %j: %s, and counts it once the target is back',
    async (answer, kind) => {
      const before = await after(ratioOf(A), [[5, { [A]: requests(100, 1) }]]);
      const during = await after(ratioOf(A), [[10, { [A]: answer }]], before);
      expect(during).toMatchObject({ counts: [0, 0], kind, lastSuccessAt: START + 5_000 });
      expect(during.missing?.detail).toMatch(/\.$/);
      const back = await after(ratioOf(A), [[15, { [A]: requests(150, 3) }]], during);
      expect(back).toMatchObject({ counts: [2, 52], kind: null, lastSuccessAt: START + 15_000 });
    },
  );

  it('says that a target was not read at all', async () => {
    const readings = await check(ratioOf(A), 5, { [A]: requests(1) });
    const evidence = told(opened(ratioOf(A, B)), ratioOf(A, B), readings);
    expect(evidence.missing).toEqual({
      kind: 'query-error',
      targets: 1,
      detail: `${B} was not read.`,
    });
  });

  it('names the worst of several kinds, and lacks data while one target of many is away', async () => {
    expect(
      await after(ratioOf(A, B), [
        [5, { [A]: requests(100, 1), [B]: requests(100, 1) }],
        [10, { [A]: requests(200, 2), [B]: 'timeout' }],
      ]),
    ).toMatchObject({ counts: [1, 101], kind: 'query-error', lastSuccessAt: START + 5_000 });
    expect(
      await after(ratioOf(A, B), [[5, { [A]: requests(Number.NaN), [B]: 'unreachable' }]]),
    ).toMatchObject({ kind: 'query-error', missing: { targets: 1 } });
  });

  it('is content with one target that has the canary: the others may not have served it yet', async () => {
    expect(
      await after(ratioOf(A, B), [
        [5, { [A]: requests(100, 1), [B]: NO_CANARY }],
        [10, { [A]: requests(150, 1), [B]: NO_CANARY }],
      ]),
    ).toMatchObject({ counts: [0, 50], kind: null });
  });

  it('misses a canary that was there and has vanished everywhere', async () => {
    const evidence = await after(ratioOf(A), [
      [5, { [A]: requests(100, 1) }],
      [10, { [A]: NO_CANARY }],
    ]);
    expect(evidence.missing).toEqual({
      kind: 'empty',
      targets: 1,
      detail: 'no target has a series of requests_total{variant="new"}.',
    });
  });

  it('does not count again what comes back after it had vanished', async () => {
    expect(
      await after(ratioOf(A), [
        [5, { [A]: requests(100, 7) }],
        [10, { [A]: requests(200) }],
        [15, { [A]: requests(300, 8) }],
      ]),
    ).toMatchObject({ counts: [1, 201] });
  });

  it('learns nothing from a reading that is older than what it knows', async () => {
    const known = await after(ratioOf(A), [
      [5, { [A]: requests(100, 1) }],
      [10, { [A]: requests(200, 2) }],
    ]);
    const late = await check(ratioOf(A), 7, { [A]: requests(150, 1) });
    const { counts: _counts, kind: _kind, ...evidence } = known;
    expect(told(evidence, ratioOf(A), late)).toBe(evidence);
    const lateFailure = await check(ratioOf(A), 7, { [A]: 'timeout' });
    expect(told(evidence, ratioOf(A), lateFailure)).toBe(evidence);
  });

  it('begins anew from the first reading after the clock was set back, and counts nothing twice', async () => {
    expect(
      await after(ratioOf(A), [
        [5, { [A]: requests(100, 1) }],
        [10, { [A]: requests(200, 2) }],
        [-3_600, { [A]: requests(300, 3) }],
        [-3_595, { [A]: requests(400, 4) }],
      ]),
    ).toMatchObject({ counts: [2, 202], kind: null, lastSuccessAt: START - 3_595_000 });
  });

  it('of the next stage counts from where the former one ended', async () => {
    const former = await after(ratioOf(A), [
      [5, { [A]: requests(100, 1) }],
      [10, { [A]: requests(200, 2) }],
    ]);
    const next = opened(ratioOf(A), former);
    expect(next).toMatchObject({ lastSuccessAt: null, windows: { rows: [] } });
    expect(await after(ratioOf(A), [[15, { [A]: requests(300, 5) }]], next)).toMatchObject({
      counts: [3, 103],
    });
  });

  it('of a count takes a declared metric without series for zero, and an unknown one for missing', async () => {
    expect(
      await after(critical, [
        [5, { [A]: '# TYPE critical_total counter\n' }],
        [10, { [A]: 'critical_total{variant="old"} 3\n' }],
        [15, { [A]: 'critical_total{variant="new"} 2\n' }],
      ]),
    ).toMatchObject({ counts: [2, 0], kind: null });
    expect(await after(critical, [[5, { [A]: 'critcal_total{variant="new"} 2\n' }]])).toMatchObject(
      {
        counts: [0, 0],
        kind: 'empty',
      },
    );
  });

  it('comes to the same counts whichever checks fail in between', async () => {
    const truth = (seconds: number) => requests(seconds * 10, seconds);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), async (works) => {
        const checks = [true, ...works, true].map(
          (up, i) => [i * 5, { [A]: up ? truth(i * 5) : 'unreachable' }] as const,
        );
        const seconds = (checks.length - 1) * 5;
        expect(await after(ratioOf(A), checks)).toMatchObject({ counts: [seconds, seconds * 11] });
      }),
      { numRuns: 50 },
    );
  });
});

describe('a reading in which something is missing', () => {
  it('counts what is there, so that a breach is seen, and lacks what is not, so that nothing passes', async () => {
    const metric = ratioOf(A);
    const lacks = 'prometheus cannot scrape pod-2.';
    const first = await check(metric, 5, { [A]: requests(1_000, 50) });
    const second = await check(metric, 10, { [A]: requests(1_090, 60) });
    const partly = second.map((each) => ({ ...each, lacks }));
    const evidence = told(told(opened(metric), metric, first), metric, partly);
    expect(countsOf(evidence)).toEqual([10, 100]);
    expect(evidence.missing).toEqual({ kind: 'query-error', targets: 1, detail: lacks });
    expect(evidence.lastSuccessAt).toBe(START + 5_000);
  });
});

describe('what a check must read', () => {
  it('is every metric of every guard, once per target', () => {
    const { bad, total } = { bad: { where: {} }, total: { where: {} }, ...ratioOf(A) };
    expect(readsOf(planOf(ratioOf(A, B), critical), 'test')).toMatchObject([
      { target: A, metrics: ['requests_total', 'critical_total', 'process_start_time_seconds'] },
      {
        target: B,
        metrics: ['requests_total', 'process_start_time_seconds'],
        selectors: [bad, total],
      },
    ]);
  });

  it('may be scraped and read from Prometheus, by its address or the one that is configured', () => {
    const prometheus = (url?: string): Metric => ({
      ...critical,
      source: { prometheus: { ...(url ? { url } : {}), scrapeInterval: 15_000 } },
    });
    const metrics = [critical, prometheus(), prometheus('http://prometheus:9090'), prometheus()];
    expect(readsOf(planOf(...metrics), 'test').map(({ target }) => target)).toEqual([
      A,
      'prometheus',
      'prometheus:http://prometheus:9090',
    ]);
  });
});
