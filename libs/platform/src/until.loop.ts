import { setTimeout as wait } from 'node:timers/promises';

/** Waits until a condition holds, for specs; rejects after `longestMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  longestMs = 5_000,
): Promise<void> {
  const begun = performance.now();
  while (!(await condition())) {
    if (performance.now() - begun > longestMs)
      throw new Error(`Not so within ${longestMs} ms: ${condition.toString()}`);
    await wait(5);
  }
}
