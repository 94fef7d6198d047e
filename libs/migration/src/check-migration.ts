import type { AnyMigration } from './migration.ts';

/** A rule that a migration breaks, with what showed it. */
export interface Finding {
  readonly rule: string;
  readonly message: string;
}

/** Holds a migration to its promises, on its samples and on documents made from them; deterministic for a seed. */
export function checkMigration(
  _migration: AnyMigration,
  _options: { seed: number },
): readonly Finding[] {
  return [];
}
