export { type Filter, matches, type Scalar, type Test } from './filter.ts';
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
  type Row,
  type SchemaMigration,
  type UnsafeRule,
  unsafeRules,
  type Validator,
} from './migration.ts';
export { migrationProblems } from './problems.ts';
export { type Change, type Edit, editOf, transform, type Transformed } from './transform.ts';
