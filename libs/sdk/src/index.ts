export type { Details, EvaluationContext } from '@tidegate/evaluation';
export type { AnswerChange, AnswerHandler } from './answer-watch.loop.ts';
export type { FileBootstrapOptions } from './bootstrap.file.ts';
export type { Bootstrap } from './bootstrap.port.ts';
export { type SdkErrorCode, sdkErrorCodes } from './errors.ts';
export type { FlagChange } from './local-flags.ts';
export type { TidegateOptions } from './options.ts';
export { TidegateProvider } from './provider.openfeature.ts';
export {
  InjectTidegate,
  TIDEGATE,
  type TidegateAsyncOptions,
  TidegateModule,
} from './tidegate.module.ts';
export type { Mode, Tidegate, TidegateStatus } from './tidegate.port.ts';
export { createFileTidegate, type FileTidegateOptions } from './tidegate.file.ts';
export { createTidegate } from './tidegate.sse.ts';
