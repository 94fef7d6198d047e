import { describe, expect, it } from '@jest/globals';
import { START, Watching } from './watching.memory.ts';

// What other gates have been seen to count wrongly; each has a name that whoever has met it knows.

const A = 'http://a/metrics';
const P = 'prometheus';
const source = { scrape: [A] };
const metrics = {
  errors: {
    type: 'ratio',
    source,
    bad: { metric: 'requests_total', where: { code: '500' } },
    total: { metric: 'requests_total' },
  },
  complaints: { type: 'count', source, count: { metric: 'complaints_total' } },
  expression: { type: 'promql', query: 'job:errors:ratio' },
};
const guard = (fields: object) => ({ name: 'g', metric: 'errors', ...fields });
const watching = (fields: object, stage = 'canary') =>
  new Watching({ metrics, guards: [guard(fields)] }, stage);
const sequential = { judge: 'sequential', limit: '1%' };
const sustained = { judge: 'sustained', above: '5%', for: '20s' };

const requests = (ok: number, failed: number): string =>
  `requests_total{code="200"} ${ok}\nrequests_total{code="500"} ${failed}\n`;
const complaints = (n: number): string => `complaints_total ${n}\n`;

describe('traps of counting', () => {
  it('early termination is success with zero measurements: without one there is none', () => {
    const none = watching(sequential);
    expect(none.facts('g')).toMatchObject({ ageMs: null, since: [] });
    expect(none.evidence).toMatchObject({ lastSuccessAt: null, coveredMs: 0 });
  });

  it('the first measurement counts what was before: what a counter holds then is nobody’s', async () => {
    const first = await watching(sequential).check(5, { [A]: requests(1_000_000, 900) });
    expect(first.counted('g')).toBe(undefined);
  });

  it('the first measurement counts what was before, also of a pod that is scraped again only later', () => {
    const complaining = new Watching({
      metrics: { complaints: { ...metrics.complaints, source: { prometheus: {} } } },
      guards: [guard({ metric: 'complaints', judge: 'immediate' })],
    });
    const scrape = (seconds: number, counts: Readonly<Record<string, number>>) => {
      const at = START + seconds * 1_000;
      const samples = Object.entries(counts).map(([series, value]) => {
        const instance = series.split('/')[0] ?? '';
        const name = 'complaints_total';
        return { name, labels: { job: 'shop', instance }, series, value, at };
      });
      const down = 'b' in counts ? [] : [{ job: 'shop', instance: 'b' }];
      const declared = ['complaints_total'];
      complaining.tell(
        [{ outcome: 'taken', target: P, at, samples, declared, down, lacks: 'b is down.' }],
        at,
      );
      return complaining.facts('g').value;
    };
    // b has 30 000 of before, and shows them when it can be scraped again; a's second series is new.
    expect(scrape(0, { a: 5 })).toBe(0);
    expect(scrape(15, { a: 5, 'a/late': 1 })).toBe(1);
    expect(scrape(30, { a: 5, 'a/late': 1, b: 30_000 })).toBe(1);
    expect(scrape(45, { a: 5, 'a/late': 1, b: 30_002 })).toBe(3);
    // What is seen from now on has been seen: another one of b counts from zero, also after it was down.
    expect(scrape(60, { a: 5, 'a/late': 1 })).toBe(3);
    expect(scrape(75, { a: 5, 'a/late': 1, b: 30_002, 'b/late': 4 })).toBe(7);
  });

  it('multi-series vectors taking the first or last silently: all are counted', async () => {
    const shards = (n: number) =>
      [1, 2, 3]
        .map((shard) => `requests_total{code="500",shard="${shard}"} ${n * shard}\n`)
        .join('');
    const all = watching(sequential);
    await all.check(0, { [A]: shards(0) });
    await all.check(5, { [A]: shards(10) });
    expect(all.counted('g')).toEqual({ bad: 60, total: 60 });
  });

  it('multi-series answers to an expression taking the first silently: they are none', async () => {
    const several = watching({ metric: 'expression', judge: 'immediate', above: 0.5 });
    await several.check(5, (recorded) => {
      recorded.record(P, 0, '');
      recorded.recordQuery(P, 'job:errors:ratio', 0, [
        { labels: { job: 'a' }, value: 0 },
        { labels: { job: 'b' }, value: 1 },
      ]);
    });
    expect([several.facts('g').value, several.missing('g')]).toEqual([null, 'wrong-cardinality']);
  });

  it('a misnamed metric silently passes everything: one that nobody knows is missing, not zero', async () => {
    const misnamed = new Watching({
      metrics: { errors: { ...metrics.errors, bad: { metric: 'request_failures_total' } } },
      guards: [guard(sequential)],
    });
    await misnamed.check(0, { [A]: requests(1_000, 0) });
    await misnamed.check(5, { [A]: requests(2_000, 90) });
    expect(misnamed.facts('g').missing).toMatchObject({
      kind: 'empty',
      detail: expect.stringContaining('no target has a metric request_failures_total'),
    });
    const declared = '# TYPE request_failures_total counter\n';
    await misnamed.check(10, { [A]: `${requests(3_000, 90)}${declared}` });
    expect([misnamed.missing('g'), misnamed.counted('g')]).toEqual([
      null,
      { bad: 0, total: 2_090 },
    ]);
  });

  it('NaN comparing false: it is missing, not healthy', async () => {
    const strange = watching(sequential);
    await strange.check(0, { [A]: requests(0, 0) });
    await strange.check(5, { [A]: requests(Number.NaN, 0) });
    expect(strange.missing('g')).toBe('nan');
    expect(strange.evidence.lastSuccessAt).toBe(strange.evidence.openedAt);
  });

  it('errors that are absent, not zero: no failure yet is none, no request series is no data', async () => {
    const healthy = watching(sequential);
    await healthy.check(0, { [A]: 'requests_total{code="200"} 0\n' });
    await healthy.check(5, { [A]: 'requests_total{code="200"} 50\n' });
    expect([healthy.counted('g'), healthy.missing('g')]).toEqual([{ bad: 0, total: 50 }, null]);
    const misnamed = await watching(sequential).check(5, { [A]: 'request_total 50\n' });
    expect(misnamed.missing('g')).toBe('empty');
  });

  it('overlapping windows counted twice: checks come closer than scrapes, counts once', async () => {
    const close = watching(sequential);
    for (const i of [0, 1, 2, 3, 4, 5, 6])
      await close.check(i * 5, { [A]: requests(Math.floor(i / 3) * 90, Math.floor(i / 3) * 10) });
    expect(close.counted('g')).toEqual({ bad: 20, total: 200 });
  });

  it('total and windowed counts told apart: of a time only what lies in it, without one all', async () => {
    const lately = watching({ metric: 'complaints', judge: 'immediate', above: 2, within: '60s' });
    const inAll = watching({ metric: 'complaints', judge: 'immediate', above: 2 });
    for (const [seconds, n] of [
      [0, 5],
      [5, 6],
      [30, 7],
      [90, 8],
    ] as const)
      for (const each of [lately, inAll]) await each.check(seconds, { [A]: complaints(n) });
    expect(lately.facts('g').value).toBe(1);
    expect(inAll.facts('g').value).toBe(3);
  });

  it('what came in a long gap all counted as just now: of it counts what may lie in the time', async () => {
    const lately = watching({ metric: 'complaints', judge: 'immediate', above: 2, within: '60s' });
    await lately.check(0, { [A]: complaints(0) });
    await lately.check(600, { [A]: complaints(10) });
    expect(lately.facts('g').value).toBe(1);
  });

  it('consecutive failures reset by one good or missing sample: samples stay what they were', async () => {
    const flapping = watching(sustained);
    const answers = [
      requests(0, 0),
      requests(90, 10),
      'timeout',
      requests(270, 30),
      requests(360, 40),
    ];
    for (const [i, answer] of answers.entries()) await flapping.check(i * 5, { [A]: answer });
    expect(flapping.facts('g').samples?.map(([, value]) => value)).toEqual([0.1, 0.1, 0.1, 0.1]);
  });

  it('Prometheus down, frozen, then instant fire: after an outage a condition must last anew', async () => {
    const frozen = watching(sustained);
    for (const i of [0, 1, 2]) await frozen.check(i * 5, { [A]: requests(i * 90, i * 10) });
    for (const seconds of [15, 60, 120]) await frozen.check(seconds, { [A]: 'unreachable' });
    await frozen.check(300, { [A]: requests(9_000, 1_000) });
    expect(frozen.facts('g').samples?.map(([, value]) => value)).toEqual([null, null, null, null]);
  });

  it('Prometheus down is a failed measurement: nothing is counted, and nothing is lost', async () => {
    const outage = watching(sequential);
    await outage.check(0, { [A]: requests(0, 0) });
    for (const i of [1, 2, 3, 4, 5, 6]) await outage.check(i * 5, { [A]: 'unreachable' });
    expect([outage.counted('g'), outage.missing('g')]).toEqual([undefined, 'query-error']);
    await outage.check(35, { [A]: requests(990, 10) });
    expect([outage.counted('g'), outage.missing('g')]).toEqual([{ bad: 10, total: 1_000 }, null]);
    expect(outage.evidence.coveredMs).toBe(0);
  });

  it('points taken for requests: a share is of requests, however many scrapes they came in', async () => {
    const often = watching(sequential);
    const once = watching(sequential);
    for (const i of [0, 1, 2, 3, 4]) await often.check(i * 5, { [A]: requests(i * 10, i) });
    for (const i of [0, 4]) await once.check(i * 5, { [A]: requests(i * 10, i) });
    expect(often.counted('g')).toEqual(once.counted('g'));
  });

  it('stage change altering the share inside one test: each step counts for itself, from where the other ended', async () => {
    const stages = watching(sequential);
    await stages.check(0, { [A]: requests(0, 0) });
    await stages.check(5, { [A]: requests(90, 10) });
    stages.enter('all');
    expect(stages.counted('g')).toBe(undefined);
    await stages.check(10, { [A]: requests(180, 11) });
    expect(stages.counted('g')).toEqual({ bad: 1, total: 91 });
  });

  it('random noise in a judge: the same readings are the same facts', async () => {
    const twice = await Promise.all(
      [1, 2].map(async () => {
        const one = watching(sequential);
        for (const i of [0, 1, 2, 3]) await one.check(i * 5, { [A]: requests(i * 97, i * 3) });
        return one.facts('g');
      }),
    );
    expect(twice[0]).toEqual(twice[1]);
  });
});
