import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A process of the demo; what it prints goes to the log file. */
export interface Child {
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 3_000;

export function startChild(file: string, options: object, logFile: string): Child {
  const log = openSync(logFile, 'a');
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    stdio: ['ignore', log, log, 'ipc'],
    // The terminal sends Ctrl-C to the whole group: the demo stops its processes itself, in order.
    detached: true,
  });
  closeSync(log);
  child.send(options);
  return {
    process: child,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
