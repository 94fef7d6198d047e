export { bucket } from './bucket.ts';
export {
  type Details,
  type EvaluationContext,
  type EvaluationErrorCode,
  failed,
  type FlagMetadata,
  type Reason,
} from './details.ts';
export { compile, type Evaluator, isLive } from './evaluator.ts';
export { FlagView } from './flag-view.ts';
export { murmur3 } from './murmur3.ts';
