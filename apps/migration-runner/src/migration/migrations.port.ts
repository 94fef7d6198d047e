import type { Migration } from '@tidegate/migration';

/** A migration as it was loaded; `hash` is of its file's text. */
export interface Loaded {
  readonly migration: Migration;
  readonly hash: string;
  readonly file: string;
}

export type Migrations = ReadonlyMap<string, Loaded>;
