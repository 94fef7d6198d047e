import type { mongo } from 'mongoose';
import { AppError } from '@tidegate/kernel';
import type { Index, SchemaMigration, Validator } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Schema } from '../target/target.port.ts';
import { builtBy, forgetBuilt, markBuilt } from './built.mongo.ts';
import { isRefusal, isUntold } from './failure.mongo.ts';
import { isRule, isRuleOf, isSameRule, ruleOf, rulesChange, rulesOf } from './rules.mongo.ts';

type Attempt = <T>(work: (db: mongo.Db) => Promise<T>) => Promise<T>;
type State = 'there' | 'missing' | 'different';

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
  const options = await optionsOf(db, collection);
  const different = left.find((each) => each.endsWith('different'));
  if (!options || different !== undefined)
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_TARGET_FAILED',
      `${different ?? `There is no collection ${collection}`}.`,
    );
  const added = validators.filter((each) => stateOfRule(options, each) === 'missing');
  const rules = [...rulesOf(options), ...added.map((each) => ruleOf(migration, each))];
  if (added.length > 0) await setRules(db, collection, options, rules);
  for (const { index, state } of await indexes(db, migration))
    if (state === 'missing') await build(db, migration, index);
}

/** Since MongoDB 4.2 others write meanwhile; it resolves when all of it is built. */
async function build(db: mongo.Db, migration: SchemaMigration, index: Index): Promise<void> {
  const { name, fields, unique = false } = index;
  await markBuilt(db, migration, name);
  try {
    await db
      .collection(migration.collection)
      .createIndex(fields, { name, ...(unique ? { unique } : {}) });
  } catch (error) {
    if (isRefusal(error)) await forgetBuilt(db, migration, name);
    throw error;
  }
}

async function drop(db: mongo.Db, migration: SchemaMigration): Promise<void> {
  const { collection, validators = [] } = migration;
  const options = await optionsOf(db, collection);
  if (!options) return;
  const built = await builtBy(db, migration);
  for (const { index, state } of await indexes(db, migration)) {
    if (!built.has(index.name)) continue;
    if (state === 'there') await db.collection(collection).dropIndex(index.name);
    await forgetBuilt(db, migration, index.name);
  }
  const kept = rulesOf(options).filter(
    (each) => !validators.some((rule) => isRuleOf(migration, each, rule)),
  );
  if (kept.length < rulesOf(options).length) await setRules(db, collection, options, kept);
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

function stateOfRule(options: mongo.Document, validator: Validator): State {
  const found = rulesOf(options).find((each) => isRule(each, validator));
  if (!found) return 'missing';
  return isSameRule(found, validator) ? 'there' : 'different';
}

async function setRules(
  db: mongo.Db,
  collection: string,
  options: mongo.Document | undefined,
  rules: readonly mongo.Document[],
): Promise<void> {
  try {
    await db.command({ collMod: collection, ...rulesChange(options, rules) });
  } catch (error) {
    if (isUntold(error)) throw unsupported('The server takes no rules for documents (collMod).');
    throw error;
  }
}

const unsupported = (message: string): AppError<MigrationErrorCode> =>
  new AppError('MIGRATION_TARGET_UNSUPPORTED', message);
