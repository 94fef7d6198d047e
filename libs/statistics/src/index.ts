export {
  logEvidenceBetterVarying,
  logEvidenceWorse,
  logEvidenceWorseVarying,
  shareOfErrors,
  type TwoSampleEvidence,
  type VaryingEvidence,
} from './compare.ts';
export { type StatisticsErrorCode, statisticsErrorCodes } from './errors.ts';
export {
  type EventsEvidence,
  type EventsPrior,
  logEvidenceEventsAbove,
  logEvidenceEventsBelow,
} from './events.ts';
export { informationLimit, kl, upperRate } from './information.ts';
export {
  type Aim,
  errorsForPower,
  exposureForPower,
  powerToSee,
  type RateAim,
  smallestDetectable,
  trialsForPower,
  trialsToCertify,
} from './power.ts';
export {
  logEvidenceRateAbove,
  logEvidenceRateBelow,
  type Prior,
  priorFor,
  type RateEvidence,
} from './rate.ts';
export { logEvidenceSplit, type SplitEvidence } from './split.ts';
export { mixStarts, type StartedEvidence, type StartWeights, startWeights } from './starts.ts';
