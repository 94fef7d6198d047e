import { describe, expect, it } from '@jest/globals';
import { isRejection } from '@tidegate/kernel';
import fc from 'fast-check';
import { columnsOf } from './recorded-series.ts';
import { readSeriesNotation } from './series-notation.ts';
import { readSeriesValues } from './series-values.ts';

const at = { startAt: 0, intervalMs: 1_000 };

function valuesOf(text: string): unknown[] {
  const columns = readSeriesValues(text, at);
  if (isRejection(columns)) throw new Error(columns.message);
  const { times, values, stale } = columns;
  return [...times].map((time, index) => [time / 1_000, stale[index] ? 'stale' : values[index]]);
}
const list = (...values: unknown[]) =>
  values.flatMap((value, index) => (value === '_' ? [] : [[index, value]]));

describe('the values of a series', () => {
  it.each([
    // The examples of promtool's documentation.
    ['-2+4x3', list(-2, 2, 6, 10)],
    [' 1-2x4', list(1, -1, -3, -5, -7)],
    [' 1x4', list(1, 1, 1, 1, 1)],
    [' 1 _x3 stale', list(1, '_', '_', '_', 'stale')],
    ['10+10x2 30+20x5', list(10, 20, 30, 30, 50, 70, 90, 110, 130)],
    // What they leave open.
    ['0x3 0x10', list(...Array.from({ length: 15 }, () => 0))],
    ['_ 1', list('_', 1)],
    ['1.5e3 .5 -1e-1 +2', list(1_500, 0.5, -0.1, 2)],
    ['1e+1x1', list(10, 10)],
    ['1e1+1e1x1', list(10, 20)],
    ['NaN Inf -Inf', list(Number.NaN, Infinity, -Infinity)],
    ['stale 5', list('stale', 5)],
    ['1 _x0 2', list(1, 2)],
    ['', []],
  ])('%j are read as promtool reads them', (text, expected) => {
    expect(valuesOf(text)).toEqual(expected);
  });

  it.each([
    ['{{schema:1 count:3}}', 'native histogram'],
    ['stalex3', 'no value'],
    ['1+2', 'no value'],
    ['0x1F', 'no value'],
    ['x3', 'no value'],
    ['five', 'no value'],
    ['__', 'no value'],
    ['1x99999999', 'more than'],
    ['1x9999999 1x9999999', 'more than'],
  ])('%j are refused with what is wrong', (text, words) => {
    expect(readSeriesValues(text, at)).toMatchObject({
      code: 'NOTATION_MALFORMED',
      message: expect.stringContaining(words),
    });
  });

  it('are read or refused, never thrown at', () => {
    const text = fc.string({ unit: fc.constantFrom(...'012.+-ex_ staleNInf'.split('')) });
    fc.assert(
      fc.property(text, (each) => {
        fc.pre(!/x\d{4}/.test(each));
        const columns = readSeriesValues(each, at);
        expect(isRejection(columns) || columns.times.length >= 0).toBe(true);
      }),
    );
  });
});

const seriesOf = (text: string, options = {}) => {
  const read = readSeriesNotation(text, { startAt: 10_000, ...options });
  if (isRejection(read)) return read.message;
  return read.series.map(({ name, labels, ...each }) => {
    const { times, values } = columnsOf(each);
    return [name, labels, [...times], [...values]];
  });
};

describe('series in promtool’s notation', () => {
  it('are lines of a name and its values', () => {
    const text = `
# what the shop does
load 5s
http_requests_total{code="200", path="a b"} 0+10x2
up 1 _ 0
`;
    expect(seriesOf(text)).toEqual([
      ['http_requests_total', { code: '200', path: 'a b' }, [10_000, 15_000, 20_000], [0, 10, 20]],
      ['up', {}, [10_000, 20_000], [1, 0]],
    ]);
    expect(seriesOf('up 1x1', { intervalMs: 1_000 })).toEqual([
      ['up', {}, [10_000, 11_000], [1, 1]],
    ]);
    expect(seriesOf('up 1x1')).toEqual([['up', {}, [10_000, 70_000], [1, 1]]]);
  });

  const tests = (...more: string[]) => `
evaluation_interval: 30s
tests:
  - name: first
    interval: 15s
    input_series:
      - series: 'up{job="shop", instance="c:1"}'
        values: '1 0'
      - { series: errors_total, values: 5 }
    promql_expr_test: []
${more.join('\n')}`;

  it('are those of a rule test, as promtool runs it', () => {
    expect(seriesOf(tests())).toEqual([
      ['up', { job: 'shop', instance: 'c:1' }, [10_000, 25_000], [1, 0]],
      ['errors_total', {}, [10_000], [5]],
    ]);
  });

  it('are those of the test that is named, where a file has several', () => {
    const text = tests('  - { name: second, input_series: [{ series: a, values: 1x1 }] }');
    expect(seriesOf(text)).toBe('the file: has 2 tests of which one is wanted: say which by name');
    expect(seriesOf(text, { test: 'second' })).toEqual([['a', {}, [10_000, 40_000], [1, 1]]]);
    expect(seriesOf(text, { test: 'third' })).toMatch(/has 0 tests/);
  });

  it.each([
    ['up{ 1', 'line 1: names no series'],
    ['up 1\nup 2', 'line 2: gives up a second time'],
    ['a{x="1",y="2"} 1\na{y="2",x="1"} 1', 'line 2: gives a'],
    ['up 1 two', 'line 1: "two" is no value'],
    ['load soon\nup 1', 'line 1: "soon" is not a duration'],
    ['up 1\nload 5s', 'line 2: loads a second time'],
    ['input_series: 5', 'input_series: is no list'],
    ['input_series: [{ series: up }]', 'input_series[0]: needs the texts series and values'],
    ['input_series: [', 'the YAML: '],
    ['interval: 0s\ninput_series: []', 'interval: must be longer than nothing'],
  ])('%j are refused: %s', (text, words) => {
    expect(seriesOf(text)).toContain(words);
  });
});
