import type { Edit, Filter, Row, SchemaMigration } from '@tidegate/migration';

/**
 * As it is stored and published: a number, or text. Text that begins with `$` carries a type: `$oid:…`, `$uuid:…`,
 * `$date:…`, `$int:…` (an integer too large for a number), `$text:…` (text that itself begins with `$`).
 */
export type Key = string | number;

/**
 * The longest that a write may go on, also at the server: an adapter gives up then, and whoever takes a run over waits at
 * least so long.
 */
export const WRITE_MS = 30_000;

/** Which documents, in order of their key. All filters must hold. */
export interface Selection {
  readonly collection: string;
  /** The immutable, unique field that orders them; undefined: the target's own (`_id`, else `id`). */
  readonly key?: string | undefined;
  readonly filters: readonly Filter[];
}

export type Written =
  | 'written'
  /** Somebody edited or deleted it meanwhile: nothing of it was written. */
  | 'conflict'
  /** The database does not take this document, e.g. because of a unique index: nothing of it was written. */
  | { readonly refused: string };

/** What is known of a database now; what its server does not tell is left out. */
export interface Health {
  readonly replicationLagMs?: number;
  /** Active connections or queued operations. */
  readonly load?: number;
  readonly freeBytes?: number;
  /** Operations that wait for a lock. */
  readonly waiting?: number;
  /** Words for a person: what the figures are, and which the server does not tell. */
  readonly detail: readonly string[];
}

/** What a selection is read by. */
export interface Reading {
  /** The index whose order pages follow and whose condition narrows what is read; undefined: everything is read. */
  readonly index?: string;
  /** The query planner's own words. */
  readonly detail: string;
}

/**
 * One database, through a connection that was opened for reading or for writing; one for reading cannot write, by what the
 * server or driver enforces and not only by our not calling it. Every promise rejects with an AppError of
 * `migrationErrorCodes`; trouble that passes (away, busy, full) is retryable.
 */
export interface Target {
  /** `PostgreSQL 15.4`. Resolves when the server answers and the credentials are right. */
  server(): Promise<string>;
  count(selection: Selection): Promise<number>;
  /**
   * The first `limit` documents with a key greater than `after`, also where keys are of several types.
   * Thrown MIGRATION_KEY_UNUSABLE when a key is null or of a type that cannot be gone on from.
   */
  page(selection: Selection, after: Key | undefined, limit: number): Promise<readonly Row[]>;
  /** Those of the selection with these keys, in that order; what is gone or no longer of it is left out. */
  find(selection: Selection, keys: readonly Key[]): Promise<readonly Row[]>;
  /** Thrown MIGRATION_KEY_UNUSABLE. */
  keyOf(selection: Selection, row: Row): Key;
  /**
   * Writes the changes of each document, if what it compares is still as it was read. All are durable when it resolves.
   * When it rejects, any of them may have been written. Thrown MIGRATION_TARGET_FAILED on a connection for reading.
   */
  write(selection: Selection, edits: readonly Edit[]): Promise<readonly Written[]>;
  readBy(selection: Selection): Promise<Reading>;
  health(): Promise<Health>;
  /** Documents as bytes and back, every type kept; not compressed. */
  pack(rows: readonly Row[]): Uint8Array;
  unpack(bytes: Uint8Array): readonly Row[];
  /** Bytes of the largest document that the server takes; left out: none to speak of. */
  readonly documentLimit?: number;
  /** A document is a row: what its table has no column for is not kept. */
  readonly hasColumns: boolean;
  readonly schema: Schema;
  close(): Promise<void>;
}

/** What is built around documents. Each is safe to repeat. Thrown MIGRATION_TARGET_UNSUPPORTED, naming what the server cannot. */
export interface Schema {
  /** In words: what of it is not there yet, and what is there but different (then `ensure` refuses). */
  missing(migration: SchemaMigration): Promise<readonly string[]>;
  /** Builds indexes so that others can go on writing. */
  ensure(migration: SchemaMigration): Promise<void>;
  /** Takes away what `ensure` built for this migration, and nothing that was there before it. */
  drop(migration: SchemaMigration): Promise<void>;
}

/** Opens a database by the name that migrations use. Thrown MIGRATION_TARGET_UNKNOWN. */
export interface Targets {
  open(name: string, access: 'read' | 'write'): Promise<Target>;
}
