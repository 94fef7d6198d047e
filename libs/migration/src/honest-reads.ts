import { outermost, replaced } from './edit.ts';
import { pathsOf } from './filter.ts';
import type { Migration } from './migration.ts';
import { during, moments } from './moment.ts';
import type { Path, Row } from './path.ts';
import { transform, type Transformed } from './transform.ts';
import { equal, isPlain, valueAt } from './value.ts';

const OTHERS: readonly unknown[] = [undefined, 7];

/** All fields of a document, and those of the objects in them. */
export function fieldsOf(document: Row): readonly Path[] {
  return Object.entries(document).flatMap(([name, value]) => [
    [name],
    ...(isPlain(value) ? fieldsOf(value).map((path) => [name, ...path]) : []),
  ]);
}

/**
 * What a migration looks at without saying so in `reads`: an edit of it while `up` is at work would go unnoticed. A field
 * is looked at if `up`, an invariant or what is preserved comes to something else when the field does.
 */
export function unread(
  migration: Migration,
  { before, changes }: Transformed & { readonly kind: 'changed' },
  fields: readonly Path[],
): readonly { rule: string; message: string }[] {
  if (!migration.reads) return [];
  const said = outermost([
    ...migration.reads.map((path) => path.split('.')),
    ...pathsOf(migration.pending),
    ...pathsOf(migration.filter ?? {}),
    ...changes.map(({ path }) => path),
    [migration.key ?? 'id'],
    ['_id'],
  ]);
  const isSaid = (path: Path) => said.some((other) => overlap(path, other));
  const outcome = outcomeOf(migration, before);
  const isRead = (path: Path) =>
    OTHERS.some((value) => !equal(outcome, outcomeOf(migration, replaced(before, path, value))));
  const field = fields.find((path) => isThere(before, path) && !isSaid(path) && isRead(path));
  return field === undefined
    ? []
    : [
        {
          rule: 'reads-incomplete',
          message: `What becomes of the document depends on ${field.join('.')}, which is not in reads.`,
        },
      ];
}

const overlap = (a: Path, b: Path): boolean =>
  a.slice(0, b.length).every((name, index) => name === b[index]);

/** Where something can be put without making the object that it is put into. */
const isThere = (document: Row, path: Path): boolean =>
  isPlain(valueAt(document, path.slice(0, -1)));

/** What would be written, and what is preserved. */
function outcomeOf(migration: Migration, document: Row): unknown {
  const done = during(moments[0], () => transform(migration, document));
  if (done.kind === 'failed') return done.code;
  const preserved = migration.preserved?.map(({ of, by }) => [of(document), by?.(document)]);
  return { changes: done.kind === 'changed' ? done.changes : [], preserved };
}
