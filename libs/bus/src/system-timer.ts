import type { Timer } from './timer.port.ts';

/** The process's own timers. They keep nothing alive: what waits on them is closed by its owner. */
export const systemTimer: Timer = {
  after(ms, run) {
    const timeout = setTimeout(run, ms);
    timeout.unref();
    return () => {
      clearTimeout(timeout);
    };
  },
};
