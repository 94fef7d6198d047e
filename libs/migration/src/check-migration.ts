import fc from 'fast-check';
import { documentsLike } from './documents-like.ts';
import { fieldsOf } from './honest-reads.ts';
import { type AnyMigration, isDataMigration, type Migration } from './migration.ts';
import type { Path, Row } from './path.ts';
import { type Broken, brokenPromises, isAllowed } from './promises.ts';

/** A rule that a migration breaks, with the document that shows it, where one does. */
export interface Finding extends Broken {
  readonly document?: Row;
}

/** How many documents are made, beside the samples. */
const DOCUMENTS = 500;

export interface CheckOptions {
  /** An integer: for the same one the same documents are made. */
  readonly seed: number;
  readonly documents?: number;
}

/**
 * Holds a migration to its promises, on its samples and on documents made from them: each rule that it breaks once, with the
 * smallest document that was found to show it.
 */
export function checkMigration(
  migration: AnyMigration,
  { seed, documents = DOCUMENTS }: CheckOptions,
): readonly Finding[] {
  if (!isDataMigration(migration)) return [];
  const { samples = [] } = migration;
  const findings = undocumented(migration);
  if (samples.length === 0) return findings;
  const found = new Map<string, Finding>();
  for (const document of samples)
    for (const broken of brokenPromises(migration, document, 'sample', fieldsIn(samples)))
      if (!found.has(broken.rule)) found.set(broken.rule, { ...broken, document });
  for (;;) {
    const finding = onMadeDocuments(migration, samples, { seed, documents }, found);
    if (!finding) return [...findings, ...found.values()];
    found.set(finding.rule, finding);
  }
}

/** What a migration must have, or say why it has not. */
function undocumented(migration: Migration): readonly Finding[] {
  const { samples = [], down } = migration;
  return [
    ...(samples.length > 0 || isAllowed(migration, 'unreachable-samples')
      ? []
      : [
          {
            rule: 'unreachable-samples',
            message: 'There are no samples: up and down cannot be tried on anything.',
          },
        ]),
    ...(down || isAllowed(migration, 'not-reversible')
      ? []
      : [
          {
            rule: 'not-reversible',
            message: 'There is no down: what was changed can only be taken back by before-images.',
          },
        ]),
  ];
}

const fieldsIn = (samples: readonly Row[]): readonly Path[] => [
  ...new Map(samples.flatMap(fieldsOf).map((path) => [path.join('\0'), path])).values(),
];

/** The first rule, of those that nothing was found on yet. */
function onMadeDocuments(
  migration: Migration,
  samples: readonly Row[],
  { seed, documents }: Required<CheckOptions>,
  found: ReadonlyMap<string, Finding>,
): Finding | undefined {
  const fields = fieldsIn(samples);
  const brokenFor = (document: Row): Broken | undefined =>
    brokenPromises(migration, document, 'made', fields).find(({ rule }) => !found.has(rule));
  const made = documentsLike(samples, ['_id', migration.key ?? 'id']);
  const { counterexample } = fc.check(
    fc.property(made, (document) => brokenFor(document) === undefined),
    { seed, numRuns: documents },
  );
  const [document] = counterexample ?? [];
  const broken = document && brokenFor(document);
  return broken && { ...broken, document };
}
