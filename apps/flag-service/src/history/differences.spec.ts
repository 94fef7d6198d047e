import { expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { differences, MAX_DIFFERENCES } from './differences.ts';

it('names every field that is other than before', () => {
  const before = { definition: { exposure: { variant: 'on', percentage: 10 }, owner: 'shop' } };
  const after = { definition: { exposure: { variant: 'on', percentage: 25 }, tags: ['beta'] } };
  expect(differences(before, after)).toEqual([
    { path: 'definition.exposure.percentage', before: 10, after: 25 },
    { path: 'definition.owner', before: 'shop' },
    { path: 'definition.tags', after: ['beta'] },
  ]);
});

it('says who came to a list and who left it, wherever they stand', () => {
  expect(differences({ users: ['ada', 'bob', 'cy'] }, { users: ['dan', 'cy', 'ada'] })).toEqual([
    { path: 'users[]', before: 'bob' },
    { path: 'users[]', after: 'dan' },
  ]);
  expect(differences({ users: ['ada', 'bob'] }, { users: ['bob', 'ada'] })).toEqual([
    { path: 'users', before: ['ada', 'bob'], after: ['bob', 'ada'] },
  ]);
});

it('compares rules place by place, since their order decides', () => {
  const rule = (variant: string) => ({ when: { segment: 'beta' }, variant });
  expect(differences({ rules: [rule('on')] }, { rules: [rule('off'), rule('on')] })).toEqual([
    { path: 'rules[0].variant', before: 'on', after: 'off' },
    { path: 'rules[1]', after: rule('on') },
  ]);
});

it('shows names that are no words as what they are', () => {
  expect(differences({ settings: {} }, { settings: { 'a.b c': null } })).toEqual([
    { path: 'settings["a.b c"]', after: null },
  ]);
});

it('takes what was not there for empty', () => {
  expect(differences(null, { salt: 's' })).toEqual([{ path: 'salt', after: 's' }]);
  expect(differences({ salt: 's' }, null)).toEqual([{ path: 'salt', before: 's' }]);
});

it('stops where nobody reads on', () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`f${index}`, index]));
  expect(differences({}, many)).toHaveLength(MAX_DIFFERENCES);
});

it('finds nothing between equal values, and something between others', () => {
  const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => value !== null);
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (a, b) => {
      const [one, other] = [JSON.stringify(a), JSON.stringify(b)].map(
        (text) => JSON.parse(text) as object,
      );
      expect(differences(one, one)).toEqual([]);
      const canonical = (value: unknown) =>
        JSON.stringify(Object.entries(value as object).sort(([x], [y]) => (x < y ? -1 : 1)));
      if (canonical(one) === canonical(other)) return;
      expect(differences(one, { ...other, more: 1 }).length).toBeGreaterThan(0);
    }),
  );
});
