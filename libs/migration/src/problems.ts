import { type Filter, filterProblems } from './filter.ts';
import type { Invariant, Migration } from './migration.ts';
import type { Row } from './path.ts';

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,126}[a-z0-9])?$/;

/** What is wrong with a loaded definition, field by field; empty if nothing is. */
export function migrationProblems(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null)
    return [
      'the file must export a migration as its default: export default defineMigration({ … })',
    ];
  const migration = value as Partial<Record<keyof Migration, unknown>>;
  const isName = (each: unknown) => typeof each === 'string' && NAME.test(each);
  const isText = (each: unknown) => typeof each === 'string' && each.length > 0;
  const isOptional = (each: unknown, holds: (given: unknown) => boolean) =>
    each === undefined || holds(each);
  const isFunction = (each: unknown) => typeof each === 'function';
  const checks: readonly (readonly [boolean, string])[] = [
    [isName(migration.id), 'id: expected lower-case words with dashes'],
    [isName(migration.target), 'target: expected the name of a configured database'],
    [isText(migration.collection), 'collection: expected the name of a collection or table'],
    [isFunction(migration.up), 'up: expected a function of one document'],
    [isOptional(migration.down, isFunction), 'down: expected a function of one document'],
    [isOptional(migration.key, isText), 'key: expected the name of a unique, immutable field'],
    [
      isOptional(migration.invariants, isInvariants),
      'invariants: expected a list of { name, holds(document) }',
    ],
  ];
  return [
    ...checks.filter(([holds]) => !holds).map(([, problem]) => problem),
    ...pendingProblems(migration.pending),
    ...(migration.filter === undefined ? [] : filterProblems('filter', migration.filter)),
  ];
}

const isInvariants = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every(
    (each: Partial<Invariant<Row>> | null) =>
      typeof each?.name === 'string' && typeof each.holds === 'function',
  );

/** A filter that takes everything would never be false. */
function pendingProblems(pending: unknown): readonly string[] {
  const problems = filterProblems('pending', pending);
  return problems.length === 0 && Object.keys(pending as Filter).length === 0
    ? ['pending: expected a filter that is true before up and false after it']
    : problems;
}
