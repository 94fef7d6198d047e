import { messageOf } from '@tidegate/kernel';
import { matches } from './filter.ts';
import { unread } from './honest-reads.ts';
import { brokenInvariant } from './invariant.ts';
import type { Migration, UnsafeRule } from './migration.ts';
import { during, moments } from './moment.ts';
import type { Path, Row } from './path.ts';
import { changedPreserved } from './preserved.ts';
import { applyDown, transform, type Transformed } from './transform.ts';
import { editedBy } from './untouched.ts';
import { cloned, equal, isPlain, unawaited, valueAt } from './value.ts';

/** A promise that a migration does not keep for one document. */
export interface Broken {
  readonly rule: string;
  readonly message: string;
}

/** The rules that the codes of `transform` stand for. */
const RULES: Readonly<Record<string, string>> = {
  MIGRATION_UP_FAILED: 'up-fails',
  MIGRATION_KEY_CHANGED: 'key-changed',
  MIGRATION_VALUE_UNUSABLE: 'value-unusable',
  MIGRATION_STILL_PENDING: 'still-pending',
  MIGRATION_INVARIANT_BROKEN: 'invariant-broken',
  MIGRATION_PRESERVED_CHANGED: 'preserved-changed',
};

/** How a document came to be: a sample must be migrated, of a made one it is enough that nothing wrong comes of it. */
type Origin = 'sample' | 'made';

export const isAllowed = ({ unsafe }: Migration, rule: UnsafeRule): boolean =>
  unsafe?.[rule] !== undefined;

/** What the migration does to one document, held to all that it promises. */
export function brokenPromises(
  migration: Migration,
  document: Row,
  origin: Origin,
  fields: readonly Path[],
): readonly Broken[] {
  const { filter = {}, pending } = migration;
  if (!matches(filter, document) || !matches(pending, document))
    return origin === 'made'
      ? []
      : [{ rule: 'sample-not-pending', message: 'filter and pending do not take this sample.' }];
  const done = during(moments[0], () => transform(migration, document));
  if (isImpure(migration, document, done, transform)) return [impure('up')];
  const editor = editedBy(migration, document);
  if (editor !== undefined)
    return [{ rule: 'edits-document', message: `${editor} edits the document it looks at.` }];
  if (done.kind === 'unchanged') return []; // cannot be: it is pending, and may not be pending after up
  const before = origin === 'sample' ? sampleProblems(migration, document) : [];
  if (done.kind === 'failed')
    return [...before, ...(isExcused(migration, done, origin) ? [] : [brokenBy(done)])];
  return [
    ...before,
    ...stillOf(migration, done.after),
    ...again(migration, done.after),
    ...backAgain(migration, done, origin),
    ...unread(migration, done, fields),
  ];
}

const brokenBy = ({ code, message }: Failed): Broken => ({ rule: RULES[code] ?? code, message });
const impure = (direction: 'up' | 'down'): Broken => ({
  rule: 'impure',
  message: `${direction} does not give the same twice: what it gives may only depend on the document.`,
});
type Failed = Transformed & { readonly kind: 'failed' };
type Changed = Transformed & { readonly kind: 'changed' };

function isImpure(
  migration: Migration,
  document: Row,
  once: Transformed,
  direction: typeof transform,
): boolean {
  if (isAllowed(migration, 'impure')) return false;
  return !equal(
    once,
    during(moments[1], () => direction(migration, document)),
  );
}

/** What no program wrote may be refused; that stops a run, or is skipped and listed. */
function isExcused(migration: Migration, { code, before }: Failed, origin: Origin): boolean {
  if (origin === 'sample') return false;
  if (code === 'MIGRATION_INVARIANT_BROKEN')
    return brokenInvariant(migration, before) !== undefined;
  if (code === 'MIGRATION_PRESERVED_CHANGED')
    return changedPreserved(migration, before, before) !== undefined;
  return code === 'MIGRATION_UP_FAILED' || code === 'MIGRATION_VALUE_UNUSABLE';
}

function sampleProblems(migration: Migration, sample: Row): readonly Broken[] {
  const broken = brokenInvariant(migration, sample);
  const words = ['groupBy', 'mapping'] as const;
  return [
    ...(broken === undefined
      ? []
      : [{ rule: 'invariant-broken', message: `The sample breaks ${broken} before up.` }]),
    ...words.flatMap((name) => {
      const problem = wordProblem(() => migration[name]?.(cloned(sample)) ?? '');
      return problem === undefined
        ? []
        : [{ rule: 'report-fails', message: `${name} ${problem}.` }];
    }),
  ];
}

function wordProblem(give: () => unknown): string | undefined {
  try {
    return typeof unawaited(give()) === 'string' ? undefined : 'gives no text';
  } catch (error) {
    return `fails (${messageOf(error)})`;
  }
}

/** Else reports count as matched only what is left to do, and a second run finds nothing at all. */
const stillOf = ({ filter = {} }: Migration, after: Row): readonly Broken[] =>
  matches(filter, after)
    ? []
    : [
        {
          rule: 'leaves-filter',
          message:
            'filter no longer takes the document after up: what up changes belongs into pending.',
        },
      ];

function again(migration: Migration, after: Row): readonly Broken[] {
  const twice = during(moments[0], () => transform(migration, after));
  if (twice.kind === 'unchanged') return [];
  const what =
    twice.kind === 'failed'
      ? `fails on what it gave: ${twice.message}`
      : `changes ${paths(twice)} again of what it gave.`;
  return [{ rule: 'not-idempotent', message: `up ${what}` }];
}

const paths = ({ changes }: Changed): string =>
  changes.map(({ path }) => path.join('.')).join(', ');

function backAgain(
  migration: Migration,
  { before, after }: Changed,
  origin: Origin,
): readonly Broken[] {
  if (!migration.down) return [];
  const back = during(moments[0], () => applyDown(migration, after));
  if (isImpure(migration, after, back, applyDown)) return [impure('down')];
  if (isAllowed(migration, 'not-reversible')) return [];
  const rule = 'not-reversed';
  if (back.kind === 'failed') {
    const isGarbage = origin === 'made' && brokenInvariant(migration, before) !== undefined;
    return isGarbage ? [] : [{ rule, message: back.message }];
  }
  const result = back.kind === 'changed' ? back.after : after;
  const field = [...new Set([...Object.keys(before), ...Object.keys(result)])].find(
    (name) => !alike(valueAt(before, [name]), valueAt(result, [name]), origin),
  );
  return field === undefined
    ? []
    : [{ rule, message: `down(up(document)) is not the document: ${field} is another.` }];
}

/** Null for absent is forgiven outermost, and everywhere in what no program wrote. */
function alike(a: unknown, b: unknown, origin: Origin): boolean {
  if (origin === 'sample') return equal(a ?? null, b ?? null);
  return equal(withoutNulls(a) ?? null, withoutNulls(b) ?? null);
}

function withoutNulls(value: unknown): unknown {
  if (!isPlain(value)) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, withoutNulls(each)] as const);
  return Object.fromEntries(entries.filter(([, each]) => (each ?? null) !== null));
}
