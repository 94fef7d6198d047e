import type { Timer } from '@tidegate/bus';

const LONG_MS = 3_000;

/** Timers of which the long ones run when a spec says so, also those that they set: a deadline comes in slices. */
export function heldTimers(): { readonly timer: Timer; held(): number; pass(): void } {
  const waiting: (() => void)[] = [];
  return {
    timer: {
      after(ms, run) {
        if (ms >= LONG_MS) waiting.push(run);
        else setTimeout(run, ms).unref();
        return () => undefined;
      },
    },
    held: () => waiting.length,
    pass: () => {
      for (const run of waiting) run();
    },
  };
}
