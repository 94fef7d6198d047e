import type { Filter } from './filter.ts';
import type { KnownPath, Row } from './path.ts';

/** A statement about one document that must hold before, during and after a run. */
export interface Invariant<D extends Row> {
  /** Lower-case words with dashes. */
  readonly name: string;
  holds(document: D): boolean;
}

/** Something of each document that `up` must not change, such as an amount: then no sum over documents changes either. */
export interface Preserved<D extends Row> {
  /** Lower-case words with dashes. */
  readonly name: string;
  /** A scalar; a number is compared within 1e-9 of its size. */
  of(document: D): string | number | bigint | boolean | null;
  /** With it, a dry run and a verify report the sum of `of` per group. */
  by?(document: D): string;
}

/** What `tidegate migration check` refuses unless the migration says why it is right. */
export const unsafeRules = [
  'unindexed-filter', // pending (with filter) is not read by an index: each sweep reads the whole collection
  'not-reversible', // there is no down
  'impure', // up or down gives different results for the same document
  'unreachable-samples', // there are no samples, so up and down are not tried on anything
] as const;
export type UnsafeRule = (typeof unsafeRules)[number];

/** In this order; what depends on another is refused until that one is completed. */
export const phases = ['schema', 'data', 'cutover', 'cleanup'] as const;
export type Phase = (typeof phases)[number];

/** A field, or a path through plain objects as `address.city`. */
type PathOf<D> = [KnownPath<D>] extends [never] ? string : KnownPath<D>;

interface Common {
  /** Lower-case words with dashes; never used again for something else. */
  readonly id: string;
  /** The name of the database, as the runner's options know it. */
  readonly target: string;
  /** Collection or table. */
  readonly collection: string;
  /** Migrations that must be completed, and not reverted, before this one is executed. */
  readonly dependsOn?: readonly string[];
  readonly description?: string;
}

/**
 * A migration of documents. `up` and `down` are pure functions of one document:
 * up(up(x)) = up(x), and down(up(x)) = x.
 */
export interface Migration<D extends Row = Row> extends Common {
  /** Default `data`. A `cleanup` removes what only the old form needs: it is refused before the cutover. */
  readonly phase?: 'data' | 'cleanup';
  /** The immutable, unique, indexed field that orders the documents. Default `_id` for MongoDB, else `id`. */
  readonly key?: string;
  /** What this migration is about at all, before and after `up`; everything if left out. */
  readonly filter?: Filter<D>;
  /** What is left to do: true before `up`, false after it. */
  readonly pending: Filter<D>;
  /**
   * Paths that `up`, `preserved` and `invariants` look at, beside those that `up` changes. A write succeeds only if none of
   * these was changed meanwhile; left out: nothing at all of the document.
   */
  readonly reads?: readonly PathOf<D>[];
  up(document: D): D;
  down?(document: D): D;
  readonly invariants?: readonly Invariant<D>[];
  readonly preserved?: readonly Preserved<D>[];
  /** Documents are counted by it in reports; at most 1 000 groups. */
  groupBy?(document: D): string;
  /** What becomes of what: reports have a table of mapping(before) → mapping(after) with counts; at most 1 000 rows. */
  mapping?(document: D): string;
  /** Documents before `up`, which `check` tries the migration on. */
  readonly samples?: readonly D[];
  /**
   * Paths whose values reports do not show, e.g. of personal data: a report is published, and stays in the audit log. Names of
   * groups and mappings, keys, and what `up` says when it throws are shown.
   */
  readonly hidden?: readonly string[];
  /** Why a rule that `check` holds migrations to does not apply here. */
  readonly unsafe?: Partial<Readonly<Record<UnsafeRule, string>>>;
}

export interface Index {
  readonly name: string;
  /** Paths in their order; 1 ascending, -1 descending. */
  readonly fields: Readonly<Record<string, 1 | -1>>;
  readonly unique?: boolean;
}
export interface Column {
  readonly name: string;
  /** In the words of the database. */
  readonly type: string;
}
export interface Validator {
  readonly name: string;
  /** True for every document that may be written from then on; what is there already is not looked at. */
  readonly rule: Filter;
}

/** What documents need before they are migrated: built in the background, and taken away again by revert. */
export interface SchemaMigration extends Common {
  readonly phase: 'schema';
  readonly indexes?: readonly Index[];
  /** Tables only. Always nullable, so that a program that knows nothing of them goes on writing. */
  readonly columns?: readonly Column[];
  readonly validators?: readonly Validator[];
}

/** The moment from which only the new form is read: documents do not change. */
export interface CutoverMigration extends Common {
  readonly phase: 'cutover';
  /** The flag that reads are switched by, and its variant for the new form. */
  readonly flag: string;
  readonly variant: string;
  /** The data migrations that must be verified. */
  readonly dependsOn: readonly string[];
}

export type AnyMigration<D extends Row = Row> = Migration<D> | SchemaMigration | CutoverMigration;

export const isDataMigration = (migration: AnyMigration): migration is Migration =>
  migration.phase === undefined || migration.phase === 'data' || migration.phase === 'cleanup';

/** Types a migration; the runner checks it again when it loads the file. */
export function defineMigration<D extends Row = Row>(migration: Migration<D>): Migration<D>;
export function defineMigration<M extends SchemaMigration | CutoverMigration>(migration: M): M;
export function defineMigration(migration: unknown): unknown {
  return migration;
}
