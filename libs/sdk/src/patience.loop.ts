/** What is waited for: it is there, it will never be, or it may still come. */
export type Outlook = 'there' | 'never' | 'open';

/**
 * Resolves once the outlook is `there`. Rejects with `failed` when it will never be, or is not within `timeoutMs`.
 * @param onLook calls its listener whenever the outlook may have changed, until what it returns is called
 */
export async function waitUntil(
  look: () => Outlook,
  onLook: (listener: () => void) => () => void,
  timeoutMs: number,
  failed: (why: 'never' | 'timeout') => Error,
): Promise<void> {
  let stop = () => {};
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const lookAgain = () => {
        const outlook = look();
        if (outlook === 'there') resolve();
        if (outlook === 'never') reject(failed('never'));
      };
      stop = onLook(lookAgain);
      // Not unref'd: who waits wants the process to wait.
      timer = setTimeout(() => {
        reject(failed('timeout'));
      }, timeoutMs);
      lookAgain();
    });
  } finally {
    clearTimeout(timer);
    stop();
  }
}
