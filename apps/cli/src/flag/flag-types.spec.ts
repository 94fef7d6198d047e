import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { flagTypes, type TypedFlag } from './flag-types.ts';
import { shapeOf } from './shape.ts';

const flag = (
  key: string,
  type: string,
  variants: Record<string, unknown>,
  [offVariant = '', defaultVariant = offVariant] = Object.keys(variants),
): TypedFlag => ({
  key,
  flag: { definition: { type, variants, offVariant, defaultVariant } },
});

describe('types of flags', () => {
  const flags = ['b', 'a-1', 'a1', 'checkout-v2'].map((key) =>
    flag(key, 'boolean', { off: false }),
  );

  it('are the same text for the same flags in any order', () => {
    const expected = flagTypes('production', flags);
    fc.assert(
      fc.property(fc.shuffledSubarray(flags, { minLength: flags.length }), (shuffled) => {
        expect(flagTypes('production', shuffled)).toBe(expected);
      }),
    );
  });

  it('call each flag by its words, and those that would share a name by their keys', () => {
    const source = flagTypes('production', flags);
    for (const method of ['b', '"a-1"', '"a1"', 'checkoutV2'])
      expect(source).toContain(`  ${method}(context?: EvaluationContext)`);
  });

  it('know the values of a string, and let no description end its comment', () => {
    const plan = flag('plan', 'string', { basic: 'free', full: "pro's", other: 'free' });
    const definition = {
      ...plan.flag.definition,
      description: 'What */ one\n  pays',
      owner: 'ann',
    };
    const source = flagTypes('production', [{ key: 'plan', flag: { definition } }]);
    expect(source).toContain('readonly "plan": "free" | "pro\'s";');
    expect(source).toContain('/** What * / one pays Owner: ann */');
  });

  it.each([
    ['boolean', { on: true, none: null }, 'boolean', 'false'],
    ['string', { free: 'free', pro: 'pro', none: null }, '"free" | "pro"', '"pro"'],
    ['number', { few: 1, many: 100, none: null }, 'number', '100'],
    [
      'object',
      { a: { size: 1 }, b: { size: 2 }, none: null },
      '{ readonly "size": number }',
      '{"size":2}',
    ],
    ['string', { none: null }, '""', '""'],
  ])(
    'a %s that leaves it to the program while it is off: %j',
    (type, variants, answers, otherwise) => {
      const second = Object.keys(variants)[1] ?? 'none';
      const source = flagTypes('production', [flag('moved', type, variants, ['none', second])]);
      expect(source).toContain(`  readonly "moved": ${answers};`);
      expect(source).toContain(`  "moved": ${otherwise},`);
    },
  );
});

describe('the shape of values', () => {
  it.each([
    [[1, 'a', true, null], 'boolean | null | number | string'],
    [[[], []], 'readonly unknown[]'],
    [[[1], ['a']], 'readonly (number | string)[]'],
    [[{}], 'Readonly<Record<string, unknown>>'],
    [[{ b: 1, a: [] }, { b: 2 }], '{ readonly "a"?: readonly unknown[]; readonly "b": number }'],
    [[[{ a: 1 }]], 'readonly ({ readonly "a": number })[]'],
  ])('%j is %s', (values, shape) => {
    expect(shapeOf(values)).toBe(shape);
  });

  it('is not followed for ever', () => {
    const deep = Array.from({ length: 50 }).reduce<unknown>((inner) => ({ inner }), 1);
    expect(shapeOf([deep])).toContain('unknown');
  });
});
