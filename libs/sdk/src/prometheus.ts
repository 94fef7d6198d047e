export {
  exposureMetrics,
  type ExposureMetricsOptions,
} from './prometheus/exposure-metrics.prometheus.ts';
export { modeMetrics, type ModeMetricsOptions } from './prometheus/mode-metrics.prometheus.ts';
