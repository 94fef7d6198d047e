import type { mongo } from 'mongoose';
import { AppError } from '@tidegate/kernel';
import { equal, type Index, type SchemaMigration, type Validator } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Schema } from '../target/target.port.ts';
import { isUntold } from './failure.mongo.ts';
import { queryOf } from './query.mongo.ts';

type Attempt = <T>(work: (db: mongo.Db) => Promise<T>) => Promise<T>;
type State = 'there' | 'missing' | 'different';

/** One validator of a collection holds all rules, each one of what must hold together. */
export function mongoSchema(attempt: Attempt): Schema {
  return {
    missing: (migration) => attempt((db) => missing(db, migration)),
    ensure: (migration) => attempt((db) => ensure(db, migration)),
    drop: (migration) => attempt((db) => drop(db, migration)),
  };
}

async function missing(db: mongo.Db, migration: SchemaMigration): Promise<readonly string[]> {
  const { collection, columns = [], validators = [] } = migration;
  const options = await optionsOf(db, collection);
  if (!options) return [`the collection ${collection}`];
  const states: (readonly [string, State])[] = [
    ...columns.map(({ name }) => [`the column ${name}`, 'missing'] as const),
    ...validators.map((each) => [`the rule ${each.name}`, stateOfRule(options, each)] as const),
    ...(await indexes(db, migration)).map(
      ({ index, state }) => [`the index ${index.name}`, state] as const,
    ),
  ];
  return states.flatMap(([words, state]) => {
    if (state === 'there') return [];
    return state === 'missing' ? [words] : [`${words} is there, but different`];
  });
}

async function ensure(db: mongo.Db, migration: SchemaMigration): Promise<void> {
  const { collection, columns = [], validators = [] } = migration;
  if (columns.length > 0)
    throw unsupported(`A document has no columns: ${columns.map(({ name }) => name).join(', ')}.`);
  const left = await missing(db, migration);
  const refused = left.find((each) => each.endsWith('different') || each.includes('collection'));
  if (refused !== undefined)
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_TARGET_FAILED',
      refused.endsWith('different') ? `${refused}.` : `There is no collection ${collection}.`,
    );
  const options = await optionsOf(db, collection);
  const added = validators.filter((each) => stateOfRule(options ?? {}, each) === 'missing');
  if (added.length > 0) await setRules(db, collection, [...rulesOf(options), ...added.map(ruleOf)]);
  for (const { index, state } of await indexes(db, migration))
    // Since MongoDB 4.2 others write meanwhile; it resolves when all of it is built.
    if (state === 'missing')
      await db
        .collection(collection)
        .createIndex(index.fields, { name: index.name, ...(index.unique ? { unique: true } : {}) });
}

async function drop(db: mongo.Db, migration: SchemaMigration): Promise<void> {
  const { collection, validators = [] } = migration;
  const options = await optionsOf(db, collection);
  if (!options) return;
  for (const { index, state } of await indexes(db, migration))
    if (state === 'there') await db.collection(collection).dropIndex(index.name);
  const kept = rulesOf(options).filter((each) => !validators.some((rule) => isRule(each, rule)));
  if (kept.length < rulesOf(options).length) await setRules(db, collection, kept);
}

async function optionsOf(db: mongo.Db, name: string): Promise<mongo.Document | undefined> {
  const [info] = await db.listCollections({ name }).toArray();
  return info && ((info as { options?: mongo.Document }).options ?? {});
}

async function indexes(
  db: mongo.Db,
  { collection, indexes: wanted = [] }: SchemaMigration,
): Promise<readonly { index: Index; state: State }[]> {
  if (wanted.length === 0) return [];
  const there = await db.collection(collection).listIndexes().toArray();
  return wanted.map((index) => {
    const found = there.find(({ name }) => name === index.name);
    if (!found) return { index, state: 'missing' };
    const isSame =
      JSON.stringify(found['key']) === JSON.stringify(index.fields) &&
      (found['unique'] === true) === (index.unique === true) &&
      found['partialFilterExpression'] === undefined;
    return { index, state: isSame ? 'there' : 'different' };
  });
}

/** A rule carries its name as a comment. */
const ruleOf = ({ name, rule }: Validator): mongo.Document => ({
  $and: [{ $comment: name }, queryOf([rule])],
});

function rulesOf(options: mongo.Document | undefined): readonly mongo.Document[] {
  const validator = (options?.['validator'] ?? {}) as mongo.Document;
  const names = Object.keys(validator);
  if (names.length === 0) return [];
  return names.length === 1 && Array.isArray(validator['$and']) ? validator['$and'] : [validator];
}

const isRule = (there: mongo.Document, { name }: Pick<Validator, 'name'>): boolean =>
  (there['$and'] as readonly mongo.Document[] | undefined)?.[0]?.['$comment'] === name;

function stateOfRule(options: mongo.Document, validator: Validator): State {
  const found = rulesOf(options).find((each) => isRule(each, validator));
  if (!found) return 'missing';
  return equal(found, ruleOf(validator)) ? 'there' : 'different';
}

/** `moderate`: what is there and breaks a rule already may still be changed. */
async function setRules(
  db: mongo.Db,
  collection: string,
  rules: readonly mongo.Document[],
): Promise<void> {
  const validator = rules.length > 1 ? { $and: rules } : (rules[0] ?? {});
  try {
    await db.command({ collMod: collection, validator, validationLevel: 'moderate' });
  } catch (error) {
    if (isUntold(error)) throw unsupported('The server takes no rules for documents (collMod).');
    throw error;
  }
}

const unsupported = (message: string): AppError<MigrationErrorCode> =>
  new AppError('MIGRATION_TARGET_UNSUPPORTED', message);
