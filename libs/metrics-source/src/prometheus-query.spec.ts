import { describe, expect, it } from '@jest/globals';
import { isRejection } from '@tidegate/kernel';
import fc from 'fast-check';
import { readData, readPoints, readRules, readTargets } from './prometheus-answer.ts';
import { queryOf, readSelected, selectorText } from './prometheus-query.ts';
import { familiesOf, mayHave, rulesAmong } from './prometheus-reading.ts';
import { wantedOf } from './reading.ts';

const part = (name: string, labels: object, value: string) => ({
  metric: { __tidegate_part__: name, ...labels },
  value: [1_790_000_010, value],
});
const answer = (...result: object[]) =>
  JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });

describe('a selector', () => {
  it('is written as Prometheus reads it, labels in one order', () => {
    expect(selectorText({ metric: 'a_total', where: { code: '500', by: 'x' } })).toBe(
      '{__name__="a_total",by="x",code="500"}',
    );
  });

  it('chooses the values of a list as they are, not as patterns', () => {
    expect(selectorText({ metric: 'a', where: { path: ['/a.b', 'c|d', ''] } })).toBe(
      String.raw`{__name__="a",path=~"/a\\.b|c\\|d|"}`,
    );
  });

  it('keeps quotes, backslashes and line feeds of a value inside its quotes', () => {
    expect(selectorText({ metric: 'a', where: { say: '"a\\b"\n' } })).toBe(
      String.raw`{__name__="a",say="\"a\\b\"\n"}`,
    );
  });

  it.each(['x"} or b{y', 'a-b', '', '1a', 'ä'])('refuses %j as the name of a label', (label) => {
    expect(selectorText({ metric: 'a', where: { [label]: 'x' } })).toMatchObject({
      code: 'LABEL_MALFORMED',
    });
  });

  it('matches, as a list, each of its values and no other text', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), fc.string(), (values, other) => {
        const text = selectorText({ metric: 'a', where: { x: values } });
        if (isRejection(text)) throw new Error(text.message);
        const written = JSON.parse(text.slice('{__name__="a",x=~'.length, -1)) as string;
        const pattern = new RegExp(`^(?:${written})$`, 'u');
        for (const value of values) expect(pattern.test(value)).toBe(true);
        expect(pattern.test(other)).toBe(values.includes(other));
      }),
    );
  });
});

describe('the answer to a query', () => {
  it('gives each selector its series, with the timestamps of their scrapes', () => {
    const text = answer(
      part('v1', { __name__: 'b', code: '200' }, '7'),
      part('t0', { code: '500' }, '1790000008.577'),
      part('v0', { __name__: 'a', code: '500' }, '+Inf'),
      part('t1', { code: '200' }, '1790000009.5'),
      part('d1', { __name__: 'up', job: 'shop', instance: 'c:1' }, '0'),
    );
    expect(readSelected(text, [{ metric: 'a' }, { metric: 'b' }])).toEqual([
      {
        samples: [
          {
            name: 'a',
            labels: { code: '500' },
            series: 'a{code="500"}',
            value: Infinity,
            at: 1_790_000_008_577,
          },
        ],
        down: [],
      },
      {
        samples: [
          {
            name: 'b',
            labels: { code: '200' },
            series: 'b{code="200"}',
            value: 7,
            at: 1_790_000_009_500,
          },
        ],
        down: [{ job: 'shop', instance: 'c:1' }],
      },
    ]);
  });

  it.each([
    ['a value without its timestamp', answer(part('v0', { __name__: 'a' }, '7'))],
    [
      'a series that is there twice',
      answer(part('v0', { x: '1' }, '7'), part('v0', { x: '1' }, '8'), part('t0', { x: '1' }, '1')),
    ],
    ['a value that is no number', answer(part('v0', {}, 'x'), part('t0', {}, '1'))],
    ['a series without a value', answer({ metric: {}, histogram: [1, {}] })],
    ['a matrix', '{"status":"success","data":{"resultType":"matrix","result":[]}}'],
    ['no result', '{"status":"success","data":{"resultType":"vector"}}'],
    ['a part of an answer', '{"status":"success","data":{"resultType":"vec'],
    ['nothing', ''],
    ['null', 'null'],
    ['HTML', '<html></html>'],
  ])('is refused where it is %s', (_what, text) => {
    expect(readSelected(text, [{ metric: 'a' }])).toMatchObject({ code: 'ANSWER_MALFORMED' });
  });

  it.each([
    ['execution', 'QUERY_FAILED'],
    ['timeout', 'QUERY_TIMEOUT'],
  ])('that is an error of the type %s has its words', (errorType, code) => {
    const text = JSON.stringify({ status: 'error', errorType, error: 'too many samples' });
    expect(readData(text)).toMatchObject({ code, message: `${errorType}: too many samples` });
  });

  it('with a warning is no answer: a part of the data may be missing', () => {
    const text = '{"status":"success","data":[],"warnings":["store b did not answer"]}';
    expect(readTargets(text)).toMatchObject({
      code: 'QUERY_FAILED',
      message: expect.stringContaining('store b did not answer'),
    });
  });

  it('is read or refused, and never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const read = readSelected(text, [{ metric: 'a' }]);
        expect(isRejection(read) || read.length === 1).toBe(true);
      }),
    );
  });
});

it('a query has three parts for each selector, each with a name of its own', () => {
  const query = queryOf(['{__name__="a"}', '{__name__="b"}']);
  expect(query.split(' or label_replace(')).toHaveLength(6);
  for (const name of ['v0', 't0', 'd0', 'v1', 't1', 'd1']) expect(query).toContain(`"${name}"`);
});

it('what is wanted of a target is its selectors, each once, and whole metrics where there are none', () => {
  const a = { metric: 'a', where: { x: '1' } };
  const requests = [
    { target: 't', metrics: ['a', 'b'], selectors: [a] },
    { target: 'u', metrics: ['a'] },
    { target: 't', metrics: ['a'], selectors: [a], queries: ['q', 'q'] },
  ];
  const wanted = [...wantedOf(requests)];
  expect(wanted.map(([target, { selectors }]) => [target, selectors])).toEqual([
    ['t', [a, { metric: 'b', where: {} }]],
    ['u', [{ metric: 'a', where: {} }]],
  ]);
  expect(wanted[0]?.[1].queries).toEqual(['q']);
});

describe('the answer to an expression', () => {
  const data = (resultType: string, result: unknown) =>
    JSON.stringify({ status: 'success', data: { resultType, result } });

  it('is one number without labels, or a value for each series', () => {
    expect(readPoints(data('scalar', [1_790_000_010, '7']))).toEqual([
      { labels: {}, at: 1_790_000_010_000, value: 7 },
    ]);
    const vector = [{ metric: { __name__: 'a', x: '1' }, value: [1_790_000_010, 'NaN'] }];
    expect(readPoints(data('vector', vector))).toEqual([
      { labels: { __name__: 'a', x: '1' }, at: 1_790_000_010_000, value: Number.NaN },
    ]);
  });

  it.each(['matrix', 'string'])('that is a %s is refused by its name', (type) => {
    expect(readPoints(data(type, []))).toMatchObject({
      code: 'QUERY_FAILED',
      message: expect.stringContaining(type),
    });
  });
});

describe('alerting rules', () => {
  const rule = (name: string, health: string, more = {}) => ({
    type: 'alerting',
    name,
    health,
    ...more,
  });
  const NOW = Date.parse('2026-11-28T12:00:00Z');
  const evaluated = (ago: number) => ({ lastEvaluation: new Date(NOW - ago).toISOString() });
  const groups = [
    {
      interval: 15,
      rules: [
        rule('Recent', 'ok', evaluated(105_000)),
        rule('Stuck', 'ok', evaluated(105_001)),
        rule('Fine', 'ok'),
        rule('Twice', 'ok'),
        { ...rule('Mean', 'ok'), type: 'recording' },
      ],
    },
    { rules: [rule('Twice', 'err', { lastError: 'no more memory' }), rule('New', 'unknown')] },
  ];
  const health = readRules(JSON.stringify({ status: 'success', data: { groups } }), NOW);

  it('are there if each of the name is evaluated; why one is not stands beside it', () => {
    if (isRejection(health)) throw new Error(health.message);
    const wanted = ['Recent', 'Stuck', 'Fine', 'Twice', 'Mean', 'New', 'Misspelt'];
    expect(rulesAmong(wanted, health)).toEqual({
      rules: ['Recent', 'Fine'],
      ruleFailures: {
        Stuck: 'The rule Stuck is not evaluated: the last time was 2026-11-28T11:58:14.999Z.',
        Twice: 'The rule Twice is not evaluated: err: no more memory.',
        New: 'The rule New is not evaluated: unknown.',
      },
    });
  });
});

it('a target may have a series unless its own labels say otherwise', () => {
  const labels = { job: 'shop', instance: 'c:1' };
  expect(mayHave(labels, { metric: 'a', where: { kind: 'x', job: ['shop', 'web'] } })).toBe(true);
  expect(mayHave(labels, { metric: 'a', where: { job: 'web' } })).toBe(false);
});

it.each([
  ['a_total', ['a_total', 'a']],
  ['a_seconds_bucket', ['a_seconds_bucket', 'a_seconds']],
  ['a', ['a']],
])('%s is declared under %j', (metric, families) => {
  expect(familiesOf(metric)).toEqual(families);
});
