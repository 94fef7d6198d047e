import type { Filter, Row } from '@tidegate/migration';

/** As it is stored and published: an integer that is too large for a number is kept as its digits. */
export type Key = string | number;

/** Which documents, in order of their key. All filters must hold. */
export interface Selection {
  readonly collection: string;
  /** The immutable, unique field that orders them. */
  readonly key: string;
  readonly filters: readonly Filter[];
}

/** The document as it was read, what it becomes, and the fields that differ. */
export interface Write {
  readonly before: Row;
  readonly after: Row;
  readonly fields: readonly string[];
}

/** One database. Every promise rejects with an AppError of `migrationErrorCodes`. */
export interface Target {
  count(selection: Selection): Promise<number>;
  /** The first `limit` documents with a key greater than `after`. */
  page(selection: Selection, after: Key | undefined, limit: number): Promise<readonly Row[]>;
  /** Those of the selection with these keys, in that order; what is gone or no longer of it is left out. */
  find(selection: Selection, keys: readonly Key[]): Promise<readonly Row[]>;
  /**
   * Writes the fields that differ, each document only if it is still what was read: `conflict` if somebody
   * edited or deleted it meanwhile. All are durable when it resolves. Thrown MIGRATION_TARGET_FAILED on a
   * connection that was opened for reading.
   */
  write(
    selection: Selection,
    writes: readonly Write[],
  ): Promise<readonly ('written' | 'conflict')[]>;
  /** The index that the selection is read by, or undefined if the whole collection is scanned. */
  indexOf(selection: Selection): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Opens a database by the name that migrations use. Thrown MIGRATION_TARGET_UNKNOWN. */
export interface Targets {
  open(name: string, access: 'read' | 'write'): Promise<Target>;
}
