export { assess, isMissingData, type Policy, policyFor, type Reason, reassess } from './assess.ts';
export { type GateErrorCode, gateErrorCodes } from './errors.ts';
export type { GuardEvidence } from './evidence.ts';
export { logRiskScore, type PinnedRisk, pinRisk, shareKey } from './risk.ts';
export {
  checkStage,
  missingForMs,
  openStage,
  readsOf,
  type StageEvidence,
} from './stage-evidence.ts';
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
