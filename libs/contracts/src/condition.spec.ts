import { describe, expect, it } from '@jest/globals';
import { condition, dateOf } from './condition.ts';
import { flagDefinition } from './flag.ts';

const problemsOf = (written: unknown): string[] =>
  (condition.safeParse(written).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

it.each([
  [{ attribute: 'country', operator: 'in', values: ['AT', 'DE'] }],
  [{ attribute: 'user.email', operator: 'ends-with', values: ['@example.com'], ignoreCase: true }],
  [{ attribute: 'app.version', operator: 'semver', value: '>=2.4.0 <3' }],
  [{ attribute: 'born', operator: 'before', value: '2008-11-28T00:00:00+01:00' }],
  [{ attribute: 'born', operator: 'before', value: 1_227_830_400_000 }],
  [{ attribute: 'tenant', operator: 'present', value: false }],
  [{ segment: 'beta-users' }],
  [{ all: [] }],
  [
    {
      any: [{ not: { all: [{ segment: 'a' }, { attribute: 'b', operator: 'equals', value: 0 }] } }],
    },
  ],
])('takes %j as it is', (written) => {
  expect(condition.parse(written)).toEqual(written);
});

describe('what is wrong is named, with what was expected', () => {
  it.each([
    [{}, ': expected exactly one of all, any, not, segment, attribute; found none'],
    [
      { segment: 'a', all: [] },
      ': expected exactly one of all, any, not, segment, attribute; found all, segment',
    ],
    [{ segment: 'a', value: 1 }, 'value: belongs to a comparison of an attribute'],
    [{ attribute: 'a', operator: 'in', value: 'x' }, 'value: in takes values, not value'],
    [
      { attribute: 'a', operator: 'equals' },
      'value: equals needs value: a text, a number, true or false',
    ],
    [{ attribute: 'a', operator: 'less-than', value: '5' }, 'value: expected a number'],
    [
      { attribute: 'a', operator: 'after', value: '2026-11-28' },
      'value: expected a date such as 2026-11-28T10:00:00Z, or ms since 1970',
    ],
    [
      { attribute: 'a', operator: 'semver', value: '>=1', ignoreCase: true },
      'ignoreCase: semver knows no case',
    ],
    [
      { attribute: 'a..b', operator: 'present', value: true },
      'attribute: expected a path of names joined by dots, e.g. user.plan',
    ],
    [{ all: [{ any: [{ segment: 'A' }] }] }, 'all.0.any.0.segment: must be lower-case'],
    [
      { attribute: 'a', operator: 'equals', value: 'x', ignorecase: true },
      ': Unrecognized key: "ignorecase"',
    ],
  ])('%j', (written, problem) => {
    expect(problemsOf(written).join('\n')).toContain(problem);
  });
});

it('reads dates with their zone, and nothing that could mean two moments', () => {
  expect(dateOf('2026-11-28T01:00:00+01:00')).toBe(Date.UTC(2026, 10, 28));
  for (const unclear of [
    '2026-11-28',
    '2026-11-28T01:00:00',
    'tomorrow',
    '2026-13-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    9e15,
    Number.NaN,
    true,
  ])
    expect(dateOf(unclear)).toBeUndefined();
});

it('names every variant that a flag speaks of and does not have', () => {
  const flag = {
    type: 'boolean',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    offVariant: 'off',
    exposure: { variant: 'on', percentage: 0, split: [{ variant: 'blue', weight: 1 }] },
    rules: [
      { variant: 'red' },
      {
        split: {
          weights: [
            { variant: 'on', weight: 1 },
            { variant: 'green', weight: 1 },
          ],
        },
      },
      { variant: 'on', split: { weights: [{ variant: 'on', weight: 0 }] } },
    ],
  };
  const issues = flagDefinition.safeParse(flag).error?.issues ?? [];
  expect(issues.map(({ path }) => path.join('.'))).toEqual([
    'rules.2.split.weights',
    'rules.2',
    'exposure.split.0.variant',
    'rules.0.variant',
    'rules.1.split.weights.1.variant',
  ]);
});
