export {
  metricsSourceContract,
  type Served,
  type SourceUnderTest,
} from './metrics-source.contract.ts';
export {
  type RecordedAnswer,
  recordedSource,
  type RecordedSource,
  type RecordedValue,
} from './metrics-source.memory.ts';
