import { describe, expect, it } from '@jest/globals';
import type { RecordedValue } from '@tidegate/metrics-source/testing';
import { Watching } from './watching.memory.ts';

const P = 'prometheus';
const A = 'http://a/metrics';
const B = 'http://b/metrics';
const QUERY = 'sum(rate(failures_total[1m]))';
const fields = (metric: object, guard: object = {}) => ({
  metrics: { m: metric },
  guards: [{ name: 'g', judge: 'immediate', metric: 'm', above: 3, ...guard }],
});
const promql = fields({ type: 'promql', query: QUERY });
const gauge = (of: string) =>
  fields({ type: 'value', source: { scrape: [A, B] }, gauge: { metric: 'queue' }, of });
const alert = fields({ type: 'alert', alert: 'CheckoutSlow', where: { team: 'shop' } });

const asked = (answer: RecordedValue) => async (watching: Watching, seconds: number) =>
  watching.check(seconds, (source) => {
    source.record(P, 0, '');
    source.recordQuery(P, QUERY, 0, answer);
  });
const value = (watching: Watching) => watching.facts('g').value;

describe('an expression', () => {
  it('is read as its one number', async () => {
    const watching = new Watching(promql);
    await asked(2.5)(watching, 5);
    expect([value(watching), watching.missing('g')]).toEqual([2.5, null]);
    expect(watching.facts('g').ageMs).toBe(0);
  });

  it.each<[string, RecordedValue, string]>([
    [
      'several series, of which none is the first',
      [
        { labels: { a: '1' }, value: 0 },
        { labels: { a: '2' }, value: 9 },
      ],
      'wrong-cardinality',
    ],
    ['no series', [], 'empty'],
    ['NaN, which is neither above nor below', Number.NaN, 'nan'],
    ['an error', 'query-failed', 'query-error'],
    ['no answer', 'timeout', 'query-error'],
  ])('that gives %s is missing data', async (_, answer, kind) => {
    const watching = new Watching(promql);
    await asked(answer)(watching, 5);
    expect(watching.missing('g')).toBe(kind);
    expect(watching.facts('g').missing?.detail).toContain(
      kind === 'query-error' ? 'could not answer' : QUERY,
    );
    expect(value(watching)).toBe(null);
  });

  it('that gives infinity is as large as a number can be, also as JSON', async () => {
    const watching = new Watching(promql);
    await asked(Infinity)(watching, 5);
    expect(value(watching)).toBe(Number.MAX_VALUE);
  });

  it('keeps its newest value while there is none, and says since when', async () => {
    const watching = new Watching(promql);
    await asked(4)(watching, 5);
    await asked('timeout')(watching, 10);
    expect(watching.facts('g')).toMatchObject({
      value: 4,
      ageMs: 5_000,
      missing: { kind: 'query-error' },
    });
  });
});

describe('a gauge', () => {
  it.each([
    ['max', 9],
    ['min', 1],
    ['sum', 14],
    ['mean', 14 / 4],
  ])('of several series and targets is their %s', async (of, expected) => {
    const watching = new Watching(gauge(of));
    await watching.check(5, {
      [A]: 'queue{s="1"} 1\nqueue{s="2"} 1\n',
      [B]: 'queue 9\nqueue{s="3"} 3\n',
    });
    expect(value(watching)).toBe(expected);
  });

  it('of a target that cannot be read is not known by what the others say', async () => {
    const watching = new Watching(gauge('max'));
    await watching.check(5, { [A]: 'queue 1\n', [B]: 'timeout' });
    expect([value(watching), watching.missing('g')]).toEqual([null, 'query-error']);
  });

  it.each([
    ['no_queue 1\n', 'empty'],
    ['queue NaN\n', 'nan'],
    ['queue 1 1000\n', 'stale'],
  ])('of %j is missing data: %s', async (text, kind) => {
    const watching = new Watching(gauge('max'));
    await watching.check(5, { [A]: text, [B]: text });
    expect(watching.missing('g')).toBe(kind);
  });
});

describe('an alert', () => {
  const check = (text: string, rules: readonly string[]) => async (watching: Watching) =>
    watching.check(5, (source) => {
      source.record(P, 0, text);
      source.recordRules(P, 0, rules);
    });
  const firing = (labels: string) => `ALERTS{alertname="CheckoutSlow",${labels}} 1\n`;

  it('counts what fires with its labels; what is pending does not', async () => {
    const watching = new Watching(alert);
    const text = [
      firing('alertstate="firing",team="shop",pod="1"'),
      firing('alertstate="firing",team="shop",pod="2"'),
      firing('alertstate="firing",team="search"'),
      firing('alertstate="pending",team="shop"'),
    ].join('');
    await check(text, ['CheckoutSlow'])(watching);
    expect([value(watching), watching.missing('g')]).toEqual([2, null]);
  });

  it('is silent where its rule is there, and missing where it is not: a misspelt rule never fires', async () => {
    const there = new Watching(alert);
    await check('', ['CheckoutSlow'])(there);
    expect([value(there), there.missing('g')]).toEqual([0, null]);
    const misspelt = new Watching(alert);
    await check('', ['CheckoutSlower'])(misspelt);
    expect([value(misspelt), misspelt.missing('g')]).toEqual([null, 'empty']);
    expect(misspelt.facts('g').missing?.detail).toContain('no alerting rule CheckoutSlow');
  });
});
