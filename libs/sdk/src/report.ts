import { type AppError, messageOf } from '@tidegate/kernel';
import type { SdkErrorCode } from './errors.ts';

export type Report = (error: AppError<SdkErrorCode>) => void;

const WARN_AGAIN_AFTER_MS = 60_000;

/** To the host's handler, which must not stop the flags; else process warnings, one per code and minute. */
export const reportTo = (onError?: Report): Report => guarded(onError ?? warnings());

const guarded =
  (onError: Report): Report =>
  (error) => {
    try {
      onError(error);
    } catch (failure) {
      process.emitWarning(`Tidegate's onError failed: ${messageOf(failure)}`, 'TidegateWarning');
    }
  };

function warnings(): Report {
  const warnedAt = new Map<string, number>();
  return ({ code, message }) => {
    const now = performance.now();
    if (now - (warnedAt.get(code) ?? -Infinity) < WARN_AGAIN_AFTER_MS) return;
    warnedAt.set(code, now);
    process.emitWarning(message, { type: 'TidegateWarning', code });
  };
}
