import type { Clock, Ids } from './ambient.ts';

/** A clock that stands still until a spec moves it. */
export function manualClock(startMs = 0): Clock & { advance(ms: number): void } {
  let now = startMs;
  return {
    now: () => now,
    advance(ms) {
      now += ms;
    },
  };
}

/** `prefix-1`, `prefix-2`, … */
export function sequentialIds(prefix = 'id'): Ids {
  let count = 0;
  return {
    next: () => {
      count += 1;
      return `${prefix}-${count}`;
    },
  };
}
