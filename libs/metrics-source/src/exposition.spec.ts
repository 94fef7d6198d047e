import { describe, expect, it } from '@jest/globals';
import { isRejection } from '@tidegate/kernel';
import fc from 'fast-check';
import { readExposition } from './exposition.ts';

const AT = 1_790_000_000_000;

function read(text: string) {
  const exposition = readExposition(text, { at: AT });
  if (isRejection(exposition)) throw new Error(exposition.message);
  const samples = [...exposition.samples.values()].flat();
  return { samples, declared: [...exposition.declared] };
}
const valuesOf = (text: string) => read(text).samples.map(({ series, value }) => [series, value]);

describe('an exposition', () => {
  it('is read as the format says, with labels, escapes, numbers and timestamps', () => {
    expect(
      valuesOf(
        [
          '# HELP a_total Anything \\n at all',
          '# TYPE a_total counter',
          'a_total 3',
          'a_total{code="200"} 1.5e3 1789999999000',
          'a_total { code = "500" , path="/a b,c}\\"\\\\\\n" , }\t7',
          'a:rate{} +Inf',
          'b -Inf',
          'c NaN',
          'd .5',
          '',
        ].join('\n'),
      ),
    ).toEqual([
      ['a_total{}', 3],
      ['a_total{code="200"}', 1_500],
      ['a_total{code="500",path="/a b,c}\\"\\\\\\n"}', 7],
      ['a:rate{}', Infinity],
      ['b{}', -Infinity],
      ['c{}', Number.NaN],
      ['d{}', 0.5],
    ]);
  });

  it('gives a sample the timestamp of its line, or else of the scrape', () => {
    expect(read('a 1 1789999999000\nb 1\n').samples.map(({ at }) => at)).toEqual([
      1_789_999_999_000,
      AT,
    ]);
  });

  it('keeps the last line also without a line feed, and every label set of a histogram', () => {
    expect(
      valuesOf('# TYPE h histogram\nh_count{v="a"} 2\nh_count{v="b"} 9\nlast_total 4'),
    ).toEqual([
      ['h_count{v="a"}', 2],
      ['h_count{v="b"}', 9],
      ['last_total{}', 4],
    ]);
  });

  it('leaves exemplars and comments alone, also comments that look like samples', () => {
    expect(
      valuesOf('#a 1\n# a 2\na_bucket{le="1"} 5 # {trace_id="x"} 0.5\nb 1 17 # {} 1\n# EOF\n'),
    ).toEqual([
      ['a_bucket{le="1"}', 5],
      ['b{}', 1],
    ]);
  });

  it('knows a label that is named like a part of every object', () => {
    expect(read('a{__proto__="x"} 1\n').samples[0]?.series).toBe('a{__proto__="x"}');
  });

  it('declares what it has a type, a help or a sample of, with the suffixes of the type', () => {
    const text =
      '# HELP a \n# TYPE b counter\n# TYPE c histogram\n# TYPE d summary\n# TYPE e gauge\nf 1\n# TYPE\n';
    expect(read(text).declared).toEqual([
      'a',
      'b',
      'b_total',
      'b_created',
      'c',
      'c_bucket',
      'c_sum',
      'c_count',
      'c_created',
      'd',
      'd_sum',
      'd_count',
      'd_created',
      'e',
      'f',
    ]);
  });

  it.each([
    '<html>',
    'a',
    'a{',
    'a{x="1"',
    'a{x="1"}',
    'a{x="1',
    'a{x=1} 1',
    'a{x="1" y="2"} 1',
    'a{,} 1',
    'a{x="1",x="2"} 1',
    'a{1x="1"} 1',
    '1a 1',
    'a 12abc',
    'a 0x1F',
    'a 1 2 3',
    'a 1 soon',
    'a #1',
    'a"x" 1',
    'a 1\r',
    '{"utf8", x="1"} 1',
  ])('is refused as a whole for the line %j, with its number', (line) => {
    expect(readExposition(`ok 1\n${line}\n`, { at: AT })).toMatchObject({
      code: 'EXPOSITION_MALFORMED',
      message: expect.stringMatching(/^line 2 is not a sample/),
    });
  });

  it('reads back every series and value that it can hold', () => {
    const escaped = (text: string) =>
      text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    const label = fc.tuple(fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/), fc.string());
    const sample = fc.record({
      name: fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,8}$/),
      labels: fc.uniqueArray(label, { selector: ([name]) => name }),
      value: fc.double({ noNaN: true }),
    });
    fc.assert(
      fc.property(sample, ({ name, labels, value }) => {
        const inner = labels.map(([key, text]) => `${key}="${escaped(text)}"`).join(',');
        const written = String(value).replace('Infinity', 'Inf');
        const [back] = read(`${name}{${inner}} ${written}\n`).samples;
        expect(back).toMatchObject({ name, value: value === 0 ? Number(written) : value });
        expect(back?.labels).toEqual(Object.fromEntries(labels));
      }),
    );
  });

  it('never throws, whatever a target answers', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'a1{}="\\ ,#\n.+-eNT'.split('')) }),
        (text) => {
          const read = readExposition(text, { at: AT });
          expect(isRejection(read) || read.samples.size >= 0).toBe(true);
        },
      ),
    );
  });
});
