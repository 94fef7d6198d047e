export { type Filter, matches, type Scalar, type Test } from './filter.ts';
export {
  brokenInvariant,
  defineMigration,
  type Invariant,
  type Migration,
  migrationProblems,
  type Row,
} from './migration.ts';
export { transform, type Transformed } from './transform.ts';
