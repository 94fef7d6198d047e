import { describe, expect, it } from '@jest/globals';
import { importFlagd } from './flagd.ts';

const banner = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
};
const imported = (flag: object, rest: object = {}) =>
  importFlagd({ flags: { newBanner: { ...banner, ...flag } }, ...rest });
const definitionOf = (flag: object, rest: object = {}) => {
  const { flags, problems } = imported(flag, rest);
  expect(problems).toEqual([]);
  return flags[0]?.definition;
};
const problemsOf = (flag: object, rest: object = {}) => {
  const { flags, problems } = imported(flag, rest);
  expect(flags).toEqual([]);
  return problems.map(({ where, what }) => `${where}: ${what}`);
};

const alternatives = (length: number) =>
  Array.from({ length }, (_, i) => ({ '===': [{ var: `a${i}` }, i] }));

describe('a flag of flagd', () => {
  it('keeps its key, its variants and its default; switched off it answers with the default of the code', () => {
    expect(imported({ metadata: { team: 'web' } }, { metadata: { set: 'shop' } })).toEqual({
      problems: [],
      flags: [
        {
          key: 'newBanner',
          isDisabled: false,
          definition: expect.objectContaining({
            type: 'boolean',
            variants: { on: true, off: false, 'code-default': null },
            defaultVariant: 'off',
            offVariant: 'code-default',
            exposure: { variant: 'on', percentage: 0 },
            metadata: { team: 'web', set: 'shop' },
            rules: [],
          }),
        },
      ],
    });
    expect(imported({ state: 'DISABLED' }).flags).toMatchObject([{ isDisabled: true }]);
  });

  it('without a default serves the default of the code', () => {
    expect(definitionOf({ defaultVariant: null })).toMatchObject({
      defaultVariant: 'code-default',
    });
    expect(
      definitionOf({ defaultVariant: undefined, variants: { 'code-default': true } }),
    ).toMatchObject({ defaultVariant: 'code-default-2' });
  });

  it('turns a chain of ifs into rules, in its order', () => {
    const targeting = {
      if: [
        { ends_with: [{ var: 'email' }, '@example.com'] },
        'on',
        { in: [{ var: 'country' }, ['AT', 'DE']] },
        {
          fractional: [
            ['on', 25],
            ['off', 75],
          ],
        },
        null,
      ],
    };
    expect(definitionOf({ targeting })?.rules).toEqual([
      {
        when: { attribute: 'email', operator: 'ends-with', values: ['@example.com'] },
        variant: 'on',
      },
      {
        when: {
          all: [
            { attribute: 'country', operator: 'in', values: ['AT', 'DE'] },
            { attribute: 'targetingKey', operator: 'loosely-true', value: true },
          ],
        },
        split: {
          weights: [
            { variant: 'on', weight: 25 },
            { variant: 'off', weight: 75 },
          ],
          input: ['newBanner', { attribute: 'targetingKey' }],
        },
      },
    ]);
  });

  it('uses shared rules, also within each other', () => {
    const $evaluators = {
      staff: { and: [{ $ref: 'known' }, { '===': [{ var: 'team' }, 'web'] }] },
      known: { '!!': [{ var: 'email' }] },
    };
    const targeting = { if: [{ $ref: 'staff' }, 'on'] };
    expect(definitionOf({ targeting }, { $evaluators })?.rules).toMatchObject([
      { when: { all: [{ attribute: 'email' }, { attribute: 'team' }] }, variant: 'on' },
    ]);
  });
});

const TOO_MUCH =
  'targeting: it takes more than 5000 conditions, or more than 40 within each other, to write it out';

describe('what cannot be expressed is named, and its flag left out', () => {
  it.each([
    [
      { '>': [{ var: '$flagd.timestamp' }, 1] },
      'targeting.if[0].>[0].var: the time of evaluation decides',
    ],
    [{ '==': [{ var: 'a' }, { var: 'b' }] }, 'targeting.if[0].==: two attributes are compared'],
    [
      { '==': [{ '+': [{ var: 'a' }, 1] }, 2] },
      'targeting.if[0].==[0]: {"+":[{"var":"a"},1]} is compared',
    ],
    [{ some: [{ var: 'roles' }, true] }, 'there is nothing like the operator "some"'],
    [{ in: [{ var: 'a' }, [{ var: 'b' }]] }, 'holds something else than constants'],
    [{ '==': [{ var: 'name.length' }, 3] }, '"name.length" reads something else than an attribute'],
    [{ '<': [{ var: ['age', 'old'] }, 5] }, 'flagd fails to compare "old" here'],
    [{ $ref: 'nobody' }, 'there is no shared rule "nobody"'],
    [{ $ref: 'itself' }, 'the shared rule "itself" is referred to by itself'],
  ])('a condition such as %j', (condition, problem) => {
    const $evaluators = { itself: { '!': { $ref: 'itself' } } };
    const problems = problemsOf({ targeting: { if: [condition, 'on'] } }, { $evaluators });
    expect(problems.join('\n')).toContain(problem);
  });

  it.each([
    [{ targeting: { if: [true, 'purple'] } }, 'targeting.if[1]: there is no variant "purple"'],
    [{ targeting: { '!': { var: 'a' } } }, 'targeting: there is no variant "true"'],
    [{ targeting: { var: 'colour' } }, 'targeting.var: "var" would name the variant'],
    [
      { targeting: { fractional: [['red', 1]] } },
      'targeting.fractional[0]: there is no variant "red"',
    ],
    [{ defaultVariant: 'none' }, 'defaultVariant: there is no variant "none"'],
    [
      { variants: { on: true, off: 'off' } },
      'variants: values of different types: boolean, string',
    ],
    [{ variants: {} }, 'variants: expected at least one variant'],
    [{ state: 'PAUSED' }, 'state: "PAUSED": expected "ENABLED" or "DISABLED"'],
    [{ metadata: { tags: [] } }, 'metadata.tags: []: expected a text'],
  ])('a flag such as %j', (flag, problem) => {
    expect(problemsOf(flag).join('\n')).toContain(problem);
  });

  it('a key with a space, a file without flags', () => {
    expect(importFlagd({ flags: { 'new banner': banner } }).problems).toMatchObject([
      { flag: 'new banner', what: expect.stringContaining('the key must be letters') },
    ]);
    expect(importFlagd([]).problems).toEqual([
      { where: '', what: 'expected an object with `flags`' },
    ]);
  });

  it('what would take forever to write out', () => {
    const nested = (depth: number): unknown =>
      depth === 0 ? { var: 'a' } : { if: [nested(depth - 1), { var: 'b' }, { var: 'c' }] };
    expect(problemsOf({ targeting: { if: [nested(40), 'on'] } })).toEqual([TOO_MUCH]);
    const share = [{ if: [{ var: 'a' }, 'on', 'off'] }, 1];
    expect(
      problemsOf({ targeting: { fractional: Array.from({ length: 40 }, () => share) } }),
    ).toEqual([TOO_MUCH]);
    const $evaluators: Record<string, object> = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [
        `r${i}`,
        { or: [{ $ref: `r${i + 1}` }, { $ref: `r${i + 1}` }] },
      ]),
    );
    $evaluators['r40'] = { var: 'a' };
    expect(problemsOf({ targeting: { if: [{ $ref: 'r0' }, 'on'] } }, { $evaluators })).toContain(
      'targeting: its shared rules written out have more than 50000 parts',
    );
  });

  it('what would be nested so deep that no message may hold it', () => {
    const chain = (length: number) => [
      ...Array.from({ length }, (_, i) => [{ var: `a${i}` }, i % 2 === 0 ? null : 'on']).flat(),
      { if: [{ var: 'b' }, 'on'] },
    ];
    expect(problemsOf({ targeting: { if: chain(100) } })).toEqual([TOO_MUCH]);
    expect(problemsOf({ targeting: { if: [{ if: chain(5_000) }, 'on'] } })).toEqual([TOO_MUCH]);
  });

  it.each([
    ['more conditions than a rule has', { or: alternatives(4_000) }],
    ['what has no equal here', { or: alternatives(3_000).map((each) => ({ some: [each] })) }],
    ['ifs in its condition', { if: alternatives(3_000) }],
    ['a long list', { in: [{ var: 'a' }, Array.from({ length: 20_000 }, (_, i) => `${i}`)] }],
  ])('the many flags after a few that share %s, without a look at each', (_what, big) => {
    const targeting = { if: [{ $ref: 'big' }, 'on', { $ref: 'big' }, 'off'] };
    const flags = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, i) => [`flag-${i}`, { ...banner, targeting }]),
    );
    let looked = 0;
    const $evaluators = {
      get big() {
        looked += 1;
        return big;
      },
    };
    const { flags: read, problems } = importFlagd({ flags, $evaluators });
    expect(read).toEqual([]);
    expect(new Set(problems.map(({ flag }) => flag)).size).toBe(1_000);
    expect(problems.at(-1)).toEqual({
      flag: 'flag-999',
      where: '',
      what: 'the flags up to this one take more than 500000 steps to write out; import fewer flags at once',
    });
    expect(looked).toBeLessThan(100);
  });

  it('tells all problems of a flag, and imports the others', () => {
    const targeting = { if: [{ some: [] }, 'purple'] };
    const { flags, problems } = importFlagd({ flags: { bad: { ...banner, targeting }, banner } });
    expect(flags).toMatchObject([{ key: 'banner' }]);
    expect(problems).toHaveLength(2);
  });
});
