import { describe, expect, it } from '@jest/globals';
import {
  flagDefinition,
  type FlagRecord,
  segmentDefinition,
  type SegmentRecord,
} from '@tidegate/contracts';
import { FlagView } from './flag-view.ts';
import { problemsOf } from './problems.ts';
import { cycleOf } from './references.ts';

const definitionOf = (more: object) =>
  flagDefinition.parse({
    type: 'boolean',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    offVariant: 'off',
    exposure: { variant: 'on', percentage: 0 },
    ...more,
  });
const needing = (key: string, ...flags: string[]): FlagRecord => ({
  key,
  epoch: 1,
  version: 1,
  flag: {
    definition: definitionOf({ prerequisites: flags.map((flag) => ({ flag, variants: ['on'] })) }),
    salt: 's',
  },
});
const asking = (key: string, ...segments: string[]): SegmentRecord => ({
  key,
  epoch: 1,
  version: 1,
  segment: {
    definition: segmentDefinition.parse({
      when: { any: segments.map((segment) => ({ not: { segment } })) },
    }),
  },
});

describe('a cycle that a change would close', () => {
  const view = new FlagView();
  for (const record of [
    needing('a', 'x', 'b'),
    needing('b', 'c'),
    needing('c'),
    needing('x', 'c'),
    { ...needing('gone', 'c'), flag: null },
    asking('a', 'b'),
    asking('b'),
  ])
    view.apply(record);

  it.each([
    [needing('c', 'a'), ['c', 'a', 'b', 'c']],
    [needing('c', 'b'), ['c', 'b', 'c']],
    [needing('c', 'c'), ['c', 'c']],
    [needing('new', 'new'), ['new', 'new']],
    [asking('b', 'a'), ['b', 'a', 'b']],
  ])('of $key is told from end to end', (record, cycle) => {
    expect(cycleOf(record, view)).toEqual(cycle);
  });

  it.each([
    [needing('c', 'gone', 'unknown')],
    [needing('new', 'a')],
    [asking('c', 'a')],
    [{ ...needing('c', 'a'), flag: null }],
  ])('is none for %#', (record) => {
    expect(cycleOf(record, view)).toBeUndefined();
  });
});

describe('what cannot be compiled', () => {
  it('is told of each pattern, range and network, with its field', () => {
    const definition = definitionOf({
      rules: [
        { when: { attribute: 'a', operator: 'matches', value: '^ok$' }, variant: 'on' },
        {
          when: {
            all: [
              { segment: 's' },
              { not: { any: [{ attribute: 'a', operator: 'matches', value: 'a(?=b)' }] } },
              { attribute: 'v', operator: 'semver', value: 'newest' },
            ],
          },
          variant: 'on',
        },
        {
          when: { attribute: 'ip', operator: 'cidr', values: ['10.0.0.0/8', '10.1/16'] },
          variant: 'on',
        },
      ],
    });
    expect(problemsOf(definition)).toEqual([
      {
        path: 'rules.1.when.all.1.not.any.0.value',
        message: expect.stringContaining('expected a pattern in RE2 syntax: '),
      },
      {
        path: 'rules.1.when.all.2.value',
        message: 'expected a range of versions such as ">=2.4.0 <3"',
      },
      {
        path: 'rules.2.when.values',
        message: 'expected networks such as "10.0.0.0/8"; found "10.1/16"',
      },
    ]);
  });

  it('is told of segments as well', () => {
    const when = { attribute: 'ip', operator: 'cidr', values: ['2001:db8::/129'] };
    expect(problemsOf(segmentDefinition.parse({ when }))).toEqual([
      {
        path: 'when.values',
        message: 'expected networks such as "10.0.0.0/8"; found "2001:db8::/129"',
      },
    ]);
    expect(problemsOf(segmentDefinition.parse({}))).toEqual([]);
  });
});
