import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { flagBody, shownFlag } from './flag-body.ts';

const body = {
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 10 },
};
const problemsOf = (value: unknown) =>
  flagBody
    .safeParse(value)
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

it('reads percent and keeps thousandths', () => {
  const read = flagBody.parse({ ...body, reason: 'begin' });
  expect(read.definition.exposure.percentage).toBe(10_000);
  expect(read.reason).toBe('begin');
  const finest = flagBody.parse({ ...body, exposure: { variant: 'on', percentage: 0.001 } });
  expect(finest.definition.exposure.percentage).toBe(1);
});

it('accepts what it shows, for every percentage there is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), (thousandths) => {
      const percentage = thousandths / 1_000;
      const { definition } = flagBody.parse({ ...body, exposure: { variant: 'on', percentage } });
      expect(definition.exposure.percentage).toBe(thousandths);
      const shown = shownFlag({ definition, salt: 'salt' }).definition;
      expect(flagBody.parse(shown).definition).toEqual(definition);
    }),
  );
});

it.each([
  [{ ...body, exposure: { variant: 'on', percentage: 0.0001 } }, /^exposure.percentage: .*0\.001/],
  [
    { ...body, exposure: { variant: 'on', percentage: 101 } },
    /^exposure.percentage: .*from 0 to 100/,
  ],
  [{ ...body, exposure: { variant: 'on', percentage: '10' } }, /^exposure.percentage: .*number/],
  [{ ...body, exposre: 1 }, /exposre/],
  [
    { ...body, defaultVariant: 'blue' },
    /^defaultVariant: there is no variant "blue"; expected one of on, off/,
  ],
  [{ ...body, type: 'mode' }, /^variants.on: expected a mode/],
  [{ ...body, type: 'colour' }, /^type: /],
  [
    { ...body, variants: { on: undefined, off: false } },
    /^variants.on: expected .*caller's default/,
  ],
  [
    { ...body, variants: { '\n': true, off: false } },
    /^variants.\n: the name must be 1 to 128 characters/,
  ],
  [{ ...body, variants: {} }, /^offVariant: there is no variant "off"; expected one of none/],
  [undefined, /expected object/],
])('names the field that is wrong and what was expected (%#)', (value, problem) => {
  expect(problemsOf(value)).toContainEqual(expect.stringMatching(problem));
});
