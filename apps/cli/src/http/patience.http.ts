import { setTimeout as wait } from 'node:timers/promises';
import { AppError, isAppError } from '@tidegate/kernel';

const PATIENCE_MS = 60_000;
const AGAIN_AFTER_MS = 1_000;

/**
 * For whoever watches something for hours: asks again while the service does not answer, for up to a minute.
 * Before its first answer it is not waited for.
 */
export function patience(signal: AbortSignal): <T>(ask: () => Promise<T>) => Promise<T> {
  let answeredAt: number | undefined;
  return async (ask) => {
    for (;;)
      try {
        const answer = await ask();
        answeredAt = performance.now();
        return answer;
      } catch (error) {
        if (!isAppError(error, 'CLI_UNREACHABLE') || signal.aborted) throw error;
        if (answeredAt === undefined || performance.now() - answeredAt > PATIENCE_MS) throw error;
        await wait(AGAIN_AFTER_MS, undefined, { signal });
      }
  };
}

/** What Ctrl-C ends is only the watching: `goesOn` says what goes on and what to do about it. Thrown CLI_INTERRUPTED. */
export async function watching<T>(
  signal: AbortSignal,
  goesOn: string,
  watch: () => Promise<T>,
): Promise<T> {
  try {
    return await watch();
  } catch (error) {
    throw signal.aborted ? new AppError('CLI_INTERRUPTED', goesOn, { cause: error }) : error;
  }
}
