export { type DualReadProviderOptions, provideDualRead } from './nest/dual-read.nest.ts';
export { FeatureGate, type FeatureGateOptions } from './nest/feature-gate.nest.ts';
export type { HttpRequest } from './nest/http-request.ts';
export { InjectFlags, TIDEGATE } from './nest/inject.ts';
export {
  ModeGuard,
  modeGuard,
  type ModeGuardOptions,
  type Violation,
} from './nest/mode-guard.nest.ts';
export type { ModeMetrics, ModeOutcome } from './nest/mode-metrics.port.ts';
export type { RequestContextOptions } from './nest/request-contexts.ts';
export {
  type TidegateAsyncOptions,
  TidegateModule,
  type TidegateModuleOptions,
} from './nest/tidegate.module.ts';
