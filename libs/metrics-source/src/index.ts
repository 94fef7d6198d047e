export { edgeOf, leSpellings } from './bucket-edge.ts';
export { increase, type Increase, type Snapshot } from './delta.ts';
export { type ReadFailure, readFailures } from './failures.ts';
export { prometheusTarget, sourceByTarget } from './metrics-source.handler.ts';
export {
  type FailedReading,
  type MetricsSource,
  type QueryAnswer,
  type QueryPoint,
  type Reading,
  type ReadRequest,
  type Sample,
  type TakenReading,
} from './metrics-source.port.ts';
export { type PrometheusOptions, prometheusSource } from './metrics-source.prometheus.ts';
export { type ScrapeOptions, scrapeSource } from './metrics-source.scrape.ts';
export { type SeriesOptions, seriesSource } from './metrics-source.series.ts';
export {
  columnsOf,
  newColumns,
  type PointColumns,
  type RecordedPoint,
  type RecordedSeries,
  setPoint,
  spanOf,
} from './recorded-series.ts';
export {
  fetchRange,
  type RangeOptions,
  type RangeRequest,
  type RecordedRange,
} from './fetch-range.http.ts';
export { readOpenMetricsFile, type RecordedText } from './recorded-text.ts';
export { type NotationOptions, readSeriesNotation } from './series-notation.ts';
export { isSelected, select, selecting, seriesKey } from './series.ts';
export { signalsEnvironment, signalsTarget } from './signals-target.ts';
