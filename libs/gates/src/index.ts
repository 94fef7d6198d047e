export { assess, isMissingData, type Policy, policyFor, type Reason, reassess } from './assess.ts';
export { type GateErrorCode, gateErrorCodes } from './errors.ts';
export type { GuardEvidence } from './evidence.ts';
export { factsOf } from './facts-of.ts';
export type { CountsSince, Facts } from './facts.ts';
export { readsOf } from './reads.ts';
export { logRiskScore, type PinnedRisk, pinRisk, shareKey } from './risk.ts';
export { checkStage, missingForMs, openStage, type StageEvidence } from './stage-evidence.ts';
export { judgeStage, type Leave, mayLeave, type Stage } from './stage-verdict.ts';
export {
  compares,
  horizonOf,
  isEveryone,
  maxGapMs,
  NO_STAGE,
  stepMsOf,
  watchedStep,
  windowMsOf,
} from './timing.ts';
