export { AppError, causeOf, isAppError, isRetryable, messageOf } from './app-error.ts';
export { type Clock, type Ids, type Random } from './ambient.ts';
export {
  type Answer,
  type Command,
  type Decider,
  type Decision,
  isRejection,
  type Draft,
  type Fact,
  reject,
  type Rejection,
} from './decision.ts';
export { formatDuration, parseDuration } from './duration.ts';
export { canonicalJson, isDeeper, type Json, type JsonObject, MAX_JSON_DEPTH } from './json.ts';
export {
  formatPercentage,
  FULL,
  isPercentage,
  NONE,
  parsePercentage,
  type Percentage,
} from './percentage.ts';
export { type Generation, isNewer, type Revision } from './revision.ts';
export { asSentence } from './sentence.ts';
export { shortened } from './shortened.ts';
