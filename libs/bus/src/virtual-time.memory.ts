import type { Clock } from '@tidegate/kernel';
import type { Timer } from './timer.port.ts';

export interface VirtualTime {
  readonly clock: Clock;
  readonly timer: Timer;
  /** Moves the clock, and runs what is due on the way, in order; `settle` is awaited before each step and at the end. */
  advance(ms: number, settle?: () => Promise<unknown>): Promise<void>;
}

/** Time that passes only when a spec says so. */
export function virtualTime(startMs = 0): VirtualTime {
  let now = startMs;
  let count = 0;
  const waiting = new Map<number, { readonly at: number; readonly run: () => void }>();

  const nextUntil = (end: number) =>
    [...waiting]
      .filter(([, { at }]) => at <= end)
      .reduce<[number, { at: number; run: () => void }] | undefined>(
        (first, each) => (first && first[1].at <= each[1].at ? first : each),
        undefined,
      );

  return {
    clock: { now: () => now },
    timer: {
      after(ms, run) {
        count += 1;
        const id = count;
        waiting.set(id, { at: now + ms, run });
        return () => waiting.delete(id);
      },
    },
    async advance(ms, settle = () => new Promise(setImmediate)) {
      const end = now + ms;
      await settle();
      for (let next = nextUntil(end); next; next = nextUntil(end)) {
        const [id, { at, run }] = next;
        waiting.delete(id);
        now = Math.max(now, at);
        run();
        await settle();
      }
      now = end;
    },
  };
}
