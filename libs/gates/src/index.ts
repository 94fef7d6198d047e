export { assess, reassess } from './assess.ts';
export { type GateErrorCode, gateErrorCodes } from './errors.ts';
export type { GuardEvidence } from './evidence.ts';
export { factsOf, livenessFacts } from './facts-of.ts';
export {
  type Feasible,
  feasibilityOf,
  type MetricTraffic,
  type Traffic,
  warningsOf,
} from './feasibility.ts';
export type { CountsSince, Facts } from './facts.ts';
export { policyFor } from './policy-for.ts';
export type { Policy, SequentialPolicy } from './policy.ts';
export { classOf, isMissingData, type Reason, type ReasonClass } from './reasons.ts';
export { readsOf } from './reads.ts';
export {
  type RecordedRead,
  isStillToCome,
  recordedReadsOf,
  type Recording,
  recordingOf,
  withRecording,
} from './recorded.ts';
export { judgeRecovery, type Recovery } from './recovery.ts';
export { logRiskScore, type PinnedRisk, pinRisk, riskLevels, shareKey } from './risk.ts';
export { checkStage, missingForMs, openStage, type StageEvidence } from './stage-evidence.ts';
export { type InTheWay, judgeStage, type Leave, mayLeave } from './stage-verdict.ts';
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
