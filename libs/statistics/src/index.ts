export { type StatisticsErrorCode, statisticsErrorCodes } from './errors.ts';
export {
  logEvidenceRateAbove,
  logEvidenceWorse,
  type Prior,
  priorFor,
  type RateEvidence,
  type TwoSampleEvidence,
} from './evidence.ts';
