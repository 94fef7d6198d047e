import type { Migration } from './migration.ts';
import type { Row } from './path.ts';
import { cloned, equal, unawaited } from './value.ts';

type Look = readonly [words: string, look: ((document: Row) => unknown) | undefined];

/** The first function that only looks at documents but edits this one: what is asked next would see that. */
export function editedBy(migration: Migration, document: Row): string | undefined {
  const { invariants = [], preserved = [], groupBy, mapping } = migration;
  const looks: readonly Look[] = [
    ...invariants.map(({ name, holds }): Look => [`holds of ${name}`, holds]),
    ...preserved.flatMap(({ name, of, by }): Look[] => [
      [`of of ${name}`, of],
      [`by of ${name}`, by],
    ]),
    ['groupBy', groupBy],
    ['mapping', mapping],
  ];
  return looks.find(([, look]) => look && isEdited(look, document))?.[0];
}

function isEdited(look: (document: Row) => unknown, document: Row): boolean {
  const copy = cloned(document);
  try {
    unawaited(look(copy));
  } catch {
    // That it throws is told where it is asked.
  }
  return !equal(copy, document);
}
