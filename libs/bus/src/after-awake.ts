import type { Timer } from './timer.port.ts';

const SLICES = 10;

/**
 * Calls `run` after so long, of which the process must have been awake for most: one that was suspended (SIGSTOP, a
 * machine that sleeps) has had no time to do anything, and must not find its deadline missed when it goes on.
 */
export function afterAwake(timer: Timer, ms: number, run: () => void): () => void {
  let cancel = (): void => undefined;
  const wait = (slices: number): void => {
    cancel = timer.after(ms / SLICES, () => (slices > 1 ? wait(slices - 1) : run()));
  };
  wait(SLICES);
  return () => cancel();
}
