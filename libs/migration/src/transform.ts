import { messageOf, shortened } from '@tidegate/kernel';
import { type Edit, editOf, settledEdit } from './edit.ts';
import { matches, pathsOf } from './filter.ts';
import { brokenInvariant } from './invariant.ts';
import type { Migration } from './migration.ts';
import type { Path, Row } from './path.ts';
import { changedPreserved } from './preserved.ts';
import { cloned, described, isPlain, unawaited, unusable, valueAt } from './value.ts';

/** What `up` made of one document, or why it must not be written. */
export type Transformed =
  | (Edit & { readonly kind: 'changed' })
  | { readonly kind: 'unchanged'; readonly before: Row }
  | {
      readonly kind: 'failed';
      readonly before: Row;
      readonly code: string;
      readonly message: string;
    };

interface Problem {
  readonly code: string;
  /** What follows the document's name, or its direction. */
  readonly message: string;
}

/**
 * Applies `up` to one document and holds it to its promises. Codes: MIGRATION_UP_FAILED (it threw, or gave no
 * document), MIGRATION_KEY_CHANGED, MIGRATION_VALUE_UNUSABLE (what it gave a field cannot be kept),
 * MIGRATION_STILL_PENDING (the result is still what `pending` asks for), MIGRATION_INVARIANT_BROKEN,
 * MIGRATION_PRESERVED_CHANGED. Messages are short also where `up` throws the whole document, as runs list them.
 */
export const transform = (migration: Migration, before: Row): Transformed =>
  taken(migration, before, 'up');

/**
 * Applies `down` to one document, with the same codes but MIGRATION_DOWN_FAILED, MIGRATION_NOT_PENDING_AGAIN (the result
 * is not what `up` would take), and MIGRATION_NOT_REVERSIBLE where there is no down.
 */
export const applyDown = (migration: Migration, before: Row): Transformed =>
  taken(migration, before, 'down');

type Direction = 'up' | 'down';

function taken(migration: Migration, before: Row, direction: Direction): Transformed {
  const result = attempted(migration, before, direction);
  if ('code' in result)
    return { kind: 'failed', before, code: result.code, message: shortened(result.message) };
  return result.changes.length === 0
    ? { kind: 'unchanged', before }
    : { kind: 'changed', ...result };
}

function attempted(migration: Migration, before: Row, direction: Direction): Edit | Problem {
  const name = nameOf(migration, before);
  const problem = (code: string, message: string): Problem => ({
    code: `MIGRATION_${code}`,
    message,
  });
  const edit = applied(migration, before, direction);
  if ('problem' in edit)
    return migration[direction] === undefined
      ? problem('NOT_REVERSIBLE', `There is no down, to be applied to ${name}.`)
      : problem(`${direction.toUpperCase()}_FAILED`, `${direction} ${edit.problem} on ${name}.`);
  const field = keyField(migration, before);
  const key = edit.changes.find(({ path }) => path[0] === field || path[0] === '_id')?.path[0];
  if (key !== undefined)
    return problem(
      'KEY_CHANGED',
      `${direction} changes ${key} of ${name}, which orders the documents.`,
    );
  const value = unusableChange(edit);
  if (value !== undefined)
    return problem(
      'VALUE_UNUSABLE',
      `${direction} gives ${value.path} of ${name} ${value.what}, which no database keeps.`,
    );
  if (matches(migration.pending, edit.after) !== (direction === 'down'))
    return direction === 'up'
      ? problem('STILL_PENDING', `${name} is still pending after up.`)
      : problem('NOT_PENDING_AGAIN', `${name} is not pending again after down.`);
  const broken = brokenInvariant(migration, edit.after);
  if (broken !== undefined)
    return problem('INVARIANT_BROKEN', `${name} breaks ${broken} after ${direction}.`);
  const changed = changedPreserved(migration, before, edit.after);
  return changed === undefined
    ? edit
    : problem('PRESERVED_CHANGED', `${direction} changes ${changed} of ${name}.`);
}

function nameOf(migration: Migration, document: Row): string {
  const key = document[keyField(migration, document)];
  return `${migration.collection} ${isPlain(key) ? JSON.stringify(key) : String(key)}`;
}

/** Rows say by themselves which target's own key they have. */
const keyField = ({ key }: Migration, document: Row): string =>
  key ?? (Object.hasOwn(document, '_id') ? '_id' : 'id');

/** What was NaN may stay so in a list that is written anew. */
function unusableChange({ before, changes }: Edit): { path: string; what: string } | undefined {
  for (const { path, value } of changes) {
    if (value === undefined) continue;
    const what = unusable(value);
    const was = valueAt(before, path);
    const isNew = was === undefined || unusable(was) !== what;
    if (what !== undefined && isNew) return { path: path.join('.'), what };
  }
  return undefined;
}

const READS = new WeakMap<Migration, readonly Path[] | undefined>();

/** With what decides whether the document is to be migrated at all. */
function readsOf(migration: Migration): readonly Path[] | undefined {
  if (!migration.reads) return undefined;
  const known = READS.get(migration);
  if (known) return known;
  const reads = [
    ...migration.reads.map((path) => path.split('.')),
    ...pathsOf(migration.pending),
    ...pathsOf(migration.filter ?? {}),
  ];
  READS.set(migration, reads);
  return reads;
}

function applied(
  migration: Migration,
  before: Row,
  direction: Direction,
): Edit | { problem: string } {
  try {
    const given: unknown = unawaited(migration[direction]?.(cloned(before)));
    return isPlain(given)
      ? settledEdit(editOf(before, given, readsOf(migration)))
      : { problem: `gave ${described(given)} instead of a document` };
  } catch (error) {
    return { problem: `failed (${messageOf(error)})` };
  }
}
