export { type Change, type Edit, editOf, restore } from './edit.ts';
export {
  type Condition,
  conditionsOf,
  type Filter,
  matches,
  pathsOf,
  type Scalar,
  type Test,
} from './filter.ts';
export { brokenInvariant } from './invariant.ts';
export {
  type AnyMigration,
  type Column,
  type CutoverMigration,
  defineMigration,
  type Index,
  type Invariant,
  isDataMigration,
  type Migration,
  type Phase,
  phases,
  type Preserved,
  type SchemaMigration,
  type UnsafeRule,
  unsafeRules,
  type Validator,
} from './migration.ts';
export type { Path, Row } from './path.ts';
export { migrationProblems } from './problems.ts';
export { applyDown, transform, type Transformed } from './transform.ts';
export { cloned, equal, isPlain, unawaited, valueAt } from './value.ts';
