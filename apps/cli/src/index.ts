export { verifyArchive } from './audit/verify.ts';
export { type DecisionShown, isOver, type RolloutShown, timeline } from './rollout/timeline.ts';
