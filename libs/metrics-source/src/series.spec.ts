import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from '@tidegate/kernel';
import fc from 'fast-check';
import type { Sample } from './metrics-source.port.ts';
import { select, seriesKey } from './series.ts';

const sample = (name: string, labels: Record<string, string>): Sample => ({
  name,
  labels,
  series: seriesKey(name, labels),
  value: 1,
  at: 0,
});

describe('the key of a series', () => {
  it('does not depend on the order of the labels', () => {
    expect(seriesKey('a', { x: '1', y: '2' })).toBe(seriesKey('a', { y: '2', x: '1' }));
  });

  it('differs where name or labels differ, whatever they contain', () => {
    const labels = fc.dictionary(
      fc.constantFrom('x', 'y'),
      fc.string({ unit: fc.constantFrom(...'a",={}\\'.split('')) }),
    );
    fc.assert(
      fc.property(labels, labels, (one, other) => {
        const same = canonicalJson(one) === canonicalJson(other);
        expect(seriesKey('a', one) === seriesKey('a', other)).toBe(same);
      }),
    );
  });
});

describe('a selector', () => {
  const samples = [
    sample('requests', { code: '200', variant: 'new' }),
    sample('requests', { code: '500', variant: 'new' }),
    sample('requests', { code: '500', variant: 'old' }),
    sample('requests', {}),
    sample('errors', { code: '500' }),
  ];
  const chosen = (where: Record<string, string | string[]>) =>
    select(samples, { metric: 'requests', where }).map(({ series }) => series);

  it('chooses by exact values, all of them', () => {
    expect(chosen({ code: '500', variant: 'new' })).toEqual(['requests{code="500",variant="new"}']);
  });

  it('chooses any value of a list', () => {
    expect(chosen({ code: ['500', '200'], variant: 'new' })).toHaveLength(2);
  });

  it('without labels chooses every series of the metric', () => {
    expect(chosen({})).toHaveLength(4);
  });

  it('takes a missing label for the empty value, as Prometheus does', () => {
    expect(chosen({ code: '' })).toEqual(['requests{}']);
    expect(chosen({ toString: 'x' })).toEqual([]);
  });
});
