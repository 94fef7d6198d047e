export type { Details, EvaluationContext } from '@tidegate/evaluation';
export type { AnswerChange, AnswerHandler } from './answer-watch.loop.ts';
export type { FileBootstrapOptions } from './bootstrap.file.ts';
export type { Bootstrap } from './bootstrap.port.ts';
export { dualRead } from './dual-read/dual-read.loop.ts';
export {
  type ComparisonOutcome,
  type DualRead,
  type DualReadCounts,
  type DualReadMetrics,
  type DualReadOptions,
  type Mismatch,
  type ReadMode,
  readModes,
  type Side,
} from './dual-read/dual-read.port.ts';
export { type SdkErrorCode, sdkErrorCodes } from './errors.ts';
export type { FlagChange } from './local-flags.ts';
export type { Observer, TidegateHooks } from './observer.port.ts';
export type { TidegateOptions } from './options.ts';
export type { Mode, Tidegate, TidegateStatus } from './tidegate.port.ts';
export { createFileTidegate, type FileTidegateOptions } from './tidegate.file.ts';
export { createTidegate } from './tidegate.sse.ts';
export { withHooks } from './with-hooks.ts';
