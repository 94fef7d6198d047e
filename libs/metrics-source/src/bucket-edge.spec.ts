import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { edgeOf, leSpellings } from './bucket-edge.ts';

describe('the edge of a bucket', () => {
  it.each([
    ['0.5', 0.5],
    ['0.50', 0.5],
    ['5e-1', 0.5],
    ['5E-01', 0.5],
    ['.5', 0.5],
    ['1', 1],
    ['1.0', 1],
    ['1e+00', 1],
    ['1e+06', 1_000_000],
    ['1.0E7', 10_000_000],
    ['-3', -3],
    ['+Inf', Infinity],
    ['inf', Infinity],
  ])('%s is a number', (le, edge) => {
    expect(edgeOf(le)).toBe(edge);
  });

  it.each(['', 'NaN', '-Inf', '0x1', '1 ', 'a', '1e', '1_000', undefined])('%j is none', (le) => {
    expect(edgeOf(le)).toBeUndefined();
  });

  it.each([
    [0.5, ['0.5', '0.50', '0.500', '5e-1', '5e-01', '5.0E-1', '5E-01']],
    [1, ['1', '1.0', '1.000', '1e+00', '1e0']],
    [0.0001, ['0.0001', '1e-04', '1.0E-4', '1E-4']],
    [1e6, ['1000000', '1000000.0', '1e+06', '1e6', '1.0E6']],
    [0.001048576, ['0.001048576', '1.048576E-3', '1.048576e-03']],
    [Infinity, ['+Inf', 'inf']],
  ])('%d is looked for as exporters write it', (edge, written) => {
    expect(leSpellings(edge)).toEqual(expect.arrayContaining(written));
  });

  it('is the same number in every spelling, each once and few of them', () => {
    const edge = fc.oneof(
      fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
      fc.integer({ min: -1_000, max: 1_000_000 }),
      fc.integer({ min: 1, max: 10_000 }).map((ms) => ms / 1_000),
    );
    fc.assert(
      fc.property(edge, (number) => {
        const written = leSpellings(number);
        expect(written.map((each) => edgeOf(each))).toEqual(written.map(() => number + 0));
        expect(new Set(written).size).toBe(written.length);
        expect(written.length).toBeLessThanOrEqual(20);
        expect(written).toContain(String(number));
      }),
    );
  });
});
