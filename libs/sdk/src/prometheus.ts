export {
  exposureMetrics,
  type ExposureMetricsOptions,
} from './prometheus/exposure-metrics.prometheus.ts';
export { modeMetrics, type ModeMetricsOptions } from './prometheus/mode-metrics.prometheus.ts';
export {
  dualReadMetrics,
  type DualReadMetricsOptions,
} from './prometheus/dual-read-metrics.prometheus.ts';
