import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type AppError, messageOf } from '@tidegate/kernel';
import { TidegateClient } from './client.loop.ts';
import type { SdkErrorCode } from './errors.ts';
import { SseFlagSource } from './flag-source.sse.ts';
import { settingsOf, type TidegateOptions } from './options.ts';
import type { Tidegate } from './tidegate.port.ts';

const WARN_AGAIN_AFTER_MS = 60_000;

/**
 * Begins to hold the flags of one environment, over flag-service's stream, and keeps them current until
 * `close()`. One client serves the whole process. Thrown SDK_OPTIONS_INVALID; afterwards nothing throws.
 */
export function createTidegate(options: TidegateOptions): Tidegate {
  const settings = settingsOf(options, `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`);
  const report = guarded(settings.onError ?? warnings());
  return new TidegateClient(
    settings.staleAfterMs,
    report,
    (sink) => new SseFlagSource(settings, sink),
  );
}

type Report = (error: AppError<SdkErrorCode>) => void;

/** A host's own error handler must not stop the flags. */
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
