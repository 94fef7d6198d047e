export { bucket } from './bucket.ts';
export {
  type Details,
  type EvaluationContext,
  type EvaluationErrorCode,
  failed,
  type FlagMetadata,
  type Reason,
} from './details.ts';
export { compile, type Evaluator, type EvaluatorOptions, isLive } from './evaluator.ts';
export { FlagView } from './flag-view.ts';
export { murmur3 } from './murmur3.ts';
export { type Problem, problemsOf } from './problems.ts';
export { type Mistyped, type MistypedPort } from './program.ts';
export { cycleOf, type Records } from './references.ts';
export { type FlagdImport, importFlagd, type ImportedFlag, readFlagd } from './flagd/flagd.ts';
export type { FlagdProblem } from './flagd/problems.ts';
