import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';

/** A program that is to run as a server; everything it writes goes to `logFile`. */
export interface Spec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Else whoever starts it. */
  readonly user?: string;
  /** Beside an open port: answers true once it really serves. */
  readonly ready?: () => Promise<boolean>;
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;
const BETWEEN_MS = 50;

const started = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** One native server that can be stopped, killed and started again on the same port and data. */
export class NativeServer {
  readonly #spec: Spec;
  #child: ChildProcess | undefined;

  constructor(spec: Spec) {
    this.#spec = spec;
  }

  async start(): Promise<void> {
    const { name, command, args, port, logFile, env, user, ready } = this.#spec;
    const log = openSync(logFile, 'a');
    const [program = command, ...rest] = asUser(user, command, args, DIES_WITH_US);
    const child = spawn(program, rest, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
    });
    closeSync(log);
    this.#child = child;
    started.add(child);
    child.once('error', () => started.delete(child));
    child.once('exit', () => started.delete(child));
    const deadline = performance.now() + READY_WITHIN_MS;
    for (;;) {
      const failed =
        child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
      if (failed || performance.now() > deadline) {
        await this.stop('SIGKILL');
        throw new Error(`${name} did not start:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
      }
      if ((await isOpen(port)) && (await (ready?.() ?? true))) return;
      await pause(BETWEEN_MS);
    }
  }

  /** Resolves when it is gone; `SIGKILL` is how a machine dies. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
      return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await gone;
    clearTimeout(timer);
  }

  /** A process that hangs without dying; `SIGCONT` lets it go on. */
  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }
}

const SETPRIV = '/usr/bin/setpriv';
/** Where the system offers it, a server is killed with the process that started it, however that one ends. */
export const DIES_WITH_US = existsSync(SETPRIV) ? ['--pdeathsig', 'KILL'] : [];

/** The program itself, without another process in between that could die alone. */
export function asUser(
  user: string | undefined,
  command: string,
  args: readonly string[],
  settings: readonly string[] = [],
): readonly string[] {
  const own = user === undefined ? [] : [`--reuid=${user}`, `--regid=${user}`, '--init-groups'];
  const all = [...own, ...settings];
  return all.length === 0 ? [command, ...args] : [SETPRIV, ...all, '--', command, ...args];
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
