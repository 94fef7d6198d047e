export * from './breach.ts';
export * from './signal.ts';
export * from './flag-api.ts';
export * from './flag-commands.ts';
export * from './flag-events.ts';
export {
  attributePath,
  type Comparison,
  condition,
  type Condition,
  dateOf,
  type Operator,
  operatorNames,
  type Scalar,
} from './condition.ts';
export {
  exposure,
  type Flag,
  flag,
  flagDefinition,
  type FlagDefinition,
  flagTypes,
  modes,
  scheduledChange,
  type ScheduledChange,
} from './flag.ts';
export { mentionsOf, type References, referencesOf } from './references.ts';
export * from './segment.ts';
export { MAX_TOTAL_WEIGHT, type Prerequisite, type Rule, type Split } from './targeting.ts';
export * from './migration.ts';
export * from './migration-options.ts';
export { runOptionProblems } from './migration-rules.ts';
export * from './migration-report.ts';
export * from './notification.ts';
export * from './operations.ts';
export * from './rollout-commands.ts';
export * from './reference-events.ts';
export * from './judgement-events.ts';
export * from './rollout-events.ts';
export { answerTo } from './answer.ts';
export { catalogue, definitionOf, definitionOfWire } from './catalogue.ts';
export { decode, type Decoded, encode, type WireRecord } from './codec.ts';
export { asyncApiDocument } from './asyncapi.ts';
export { goldenDocuments, schemaDocuments } from './documents.ts';
export { answerFields, flagKey, name, reason, type RolloutRef, variantName } from './fields.ts';
export {
  type DraftOf,
  type Message,
  type MessageDefinition,
  type MessageOf,
  type Metadata,
  type OutgoingMessage,
  type Publish,
} from './message.ts';
export {
  type BakeStep,
  isWatchedStep,
  plan,
  type Plan,
  type PlanStep,
  type StageStep,
  stepKind,
  stepName,
  watchedName,
  type WatchedStep,
} from './plan.ts';
export type { Guard, GuardOf } from './plan-guard.ts';
export type { Arm, Metric, Recorded, Selector, Source } from './plan-metric.ts';
export { MAX_PLAN_CHARACTERS, type PlanProblem, readPlan } from './read-plan.ts';
export { bytesOf, MAX_MESSAGE_BYTES } from './size.ts';
export { stateTopic, type Topic, topicDefinition, type TopicDefinition, topics } from './topics.ts';
export { verdict, type Verdict } from './verdict.ts';
export {
  ADMIN_KEY_NAME,
  type ApiKeyEntry,
  EVERY_ENVIRONMENT,
  newApiKey,
  type NewApiKey,
  readApiKeys,
  type Role,
  roles,
} from './api-key.ts';
