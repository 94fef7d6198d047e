export { assess, isMissingData, type Policy, policyFor, type Reason, reassess } from './assess.ts';
export { type GateErrorCode, gateErrorCodes } from './errors.ts';
export type { GuardEvidence } from './evidence.ts';
export { logRiskScore, type PinnedRisk, pinRisk, shareKey } from './risk.ts';
export {
  checkStage,
  judgeStage,
  type Leave,
  maxGapMs,
  mayLeave,
  missingForMs,
  openStage,
  readsOf,
  type Stage,
  type StageEvidence,
} from './stage.ts';
