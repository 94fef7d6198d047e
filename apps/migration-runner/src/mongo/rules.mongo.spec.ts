import { expect, it } from '@jest/globals';
import type { SchemaMigration } from '@tidegate/migration';
import { isRule, isRuleOf, isSameRule, ruleOf, rulesChange, rulesOf } from './rules.mongo.ts';

const migration = (id: string): SchemaMigration => ({
  id,
  phase: 'schema',
  target: 'shop',
  collection: 'people',
});
const adult = { name: 'adult', rule: { age: { atLeast: 18 } } };
const named = { name: 'named', rule: { name: { exists: true } } };
const ours = ruleOf(migration('ages'), adult);
const theirs = { $jsonSchema: { required: ['age'] } };

it('finds its rules again in the validator that it has set, alone or beside others', () => {
  for (const rules of [[ours], [theirs, ours], [ruleOf(migration('names'), named), ours]]) {
    const found = rulesOf(rulesChange(undefined, rules));
    expect(found).toEqual(rules);
    expect(found.filter((each) => isRule(each, adult))).toEqual([ours]);
  }
  expect(isSameRule(ours, adult)).toBe(true);
  expect(isSameRule(ours, { ...adult, rule: { age: { atLeast: 21 } } })).toBe(false);
});

it('knows which migration has built a rule, and leaves what nobody of them has', () => {
  expect(isRuleOf(migration('ages'), ours, adult)).toBe(true);
  expect(isRuleOf(migration('others'), ours, adult)).toBe(false);
  expect(isRule({ $and: [{ $comment: 'adult' }, { age: 1 }] }, adult)).toBe(false);
});

it('keeps how strict a validator is that was there before, and ends where the server began', () => {
  const before = { validator: theirs, validationLevel: 'strict' };
  expect(rulesChange(before, [theirs, ours])).toEqual({ validator: { $and: [theirs, ours] } });
  const within = { ...before, validator: { $and: [theirs, ours] } };
  expect(rulesChange(within, [theirs])).toEqual({ validator: theirs });
  expect(rulesChange({}, [ours])).toEqual({ validator: ours, validationLevel: 'moderate' });
  const alone = { validator: ours, validationLevel: 'moderate' };
  expect(rulesChange(alone, [])).toEqual({ validator: {}, validationLevel: 'strict' });
});
