import type { AppError } from '@tidegate/kernel';
import type { SdkErrorCode } from './errors.ts';

export type Report = (error: AppError<SdkErrorCode>) => void;

/**
 * To the host's handler, if it has one: a library logs nothing by itself. What the handler throws must not stop the
 * flags, and there is nobody left to tell it to.
 */
export const reportTo =
  (onError?: Report): Report =>
  (error) => {
    try {
      unawaited(onError?.(error));
    } catch {
      // `status.lastError` has what was to be reported.
    }
  };

/** Also an asynchronous handler must not end the process when it fails. */
function unawaited(told: unknown): void {
  if (told instanceof Promise) told.catch(() => undefined);
}
