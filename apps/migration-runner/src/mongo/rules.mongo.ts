import type { mongo } from 'mongoose';
import { equal, type SchemaMigration, type Validator } from '@tidegate/migration';
import { queryOf } from './query.mongo.ts';

/** A rule carries as a comment which migration built it, and its name. */
export const ruleOf = ({ id }: SchemaMigration, { name, rule }: Validator): mongo.Document => ({
  $and: [{ $comment: `tidegate ${id} ${name}` }, queryOf([rule])],
});

/** One validator of a collection holds all rules, each one of what must hold together. */
export function rulesOf(options: mongo.Document | undefined): readonly mongo.Document[] {
  const validator = (options?.['validator'] ?? {}) as mongo.Document;
  const names = Object.keys(validator);
  if (names.length === 0) return [];
  return names.length === 1 && Array.isArray(validator['$and']) && !isMarked(validator)
    ? validator['$and']
    : [validator];
}

const partsOf = (there: mongo.Document): readonly mongo.Document[] =>
  Array.isArray(there['$and']) ? there['$and'] : [];
const commentOf = (there: mongo.Document): string => String(partsOf(there)[0]?.['$comment'] ?? '');
const isMarked = (there: mongo.Document): boolean => commentOf(there).startsWith('tidegate ');

/** Built by whichever migration. */
export const isRule = (there: mongo.Document, { name }: Validator): boolean =>
  isMarked(there) && commentOf(there).split(' ').slice(2).join(' ') === name;

export const isRuleOf = (
  migration: SchemaMigration,
  there: mongo.Document,
  validator: Validator,
): boolean => commentOf(there) === commentOf(ruleOf(migration, validator));

export const isSameRule = (there: mongo.Document, { rule }: Validator): boolean =>
  equal(partsOf(there).slice(1), [queryOf([rule])]);

/**
 * What `collMod` is told. Where there was no rule, what is there and breaks one may still be changed (`moderate`), until
 * there is none again (`strict` is what a server begins with). How strict somebody else has made it, it stays.
 */
export function rulesChange(
  options: mongo.Document | undefined,
  rules: readonly mongo.Document[],
): mongo.Document {
  const validator = rules.length > 1 ? { $and: rules } : (rules[0] ?? {});
  if (rules.length === 0) return { validator, validationLevel: 'strict' };
  return rulesOf(options).length === 0 ? { validator, validationLevel: 'moderate' } : { validator };
}
