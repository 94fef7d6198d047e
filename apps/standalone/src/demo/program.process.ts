import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A program that runs beside the demo; what it writes goes to its log file, and its lines to who started it. */
export interface Program {
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

export interface ProgramOptions {
  /** Of Node, as its arguments. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  readonly onLine: (line: string) => void;
  /** After SIGTERM. */
  readonly stopWithinMs: number;
}

export function startProgram(options: ProgramOptions): Program {
  const { args, env, logFile, onLine, stopWithinMs } = options;
  const log = createWriteStream(logFile, { flags: 'a' });
  const [command = process.execPath, ...rest] = diesWithUs([process.execPath, ...args]);
  const child = spawn(command, rest, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // The terminal sends Ctrl-C to the whole group: the demo stops its processes itself, in order.
    detached: true,
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  createInterface({ input: child.stdout }).on('line', onLine);
  child.once('close', () => log.end());
  return {
    process: child,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Where the system offers it, a program is killed with the demo, however that one ends. */
const diesWithUs = (command: readonly string[]): readonly string[] =>
  existsSync('/usr/bin/setpriv')
    ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--', ...command]
    : command;
