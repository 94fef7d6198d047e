import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { asUser, DIES_WITH_US } from '../servers/process.ts';

const root = join(import.meta.dirname, '../..');

/** A built program, as a user starts it; killed when it goes out of scope, or at the end of the spec file. */
export interface Program extends AsyncDisposable {
  readonly process: ChildProcess;
  /** Standard output and standard error so far. */
  readonly output: () => string;
  /** Resolves when it has printed this; rejects with its output when it does not. */
  printed(text: string | RegExp, withinMs?: number): Promise<string>;
  /** Its exit code. */
  ended(): Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** Kills it, and resolves when it is gone. */
  kill(): Promise<void>;
}

const running = new Set<ChildProcess>();
afterAll(() => {
  for (const each of running) each.kill('SIGKILL');
});

export interface Limits {
  /** No file of the program's grows beyond this: a full disk. */
  readonly fileKilobytes?: number;
}

export function start(
  file: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  { fileKilobytes }: Limits = {},
): Program {
  const limit = fileKilobytes === undefined ? '' : `ulimit -f ${fileKilobytes}; `;
  const whole = [resolve(root, file), ...args];
  const program = asUser(undefined, process.execPath, whole, DIES_WITH_US);
  const command = ['-c', `${limit}exec "$0" "$@"`, ...program];
  const child = spawn('bash', command, {
    cwd: root,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let text = '';
  const keep = (chunk: Buffer): void => void (text += chunk.toString());
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = once(child, 'close').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    process: child,
    kill,
    [Symbol.asyncDispose]: kill,
    output: () => text,
    printed: async (expected, withinMs = 20_000) => {
      const isPrinted = (): boolean =>
        typeof expected === 'string' ? text.includes(expected) : expected.test(text);
      const inTime = eventually(isPrinted, withinMs).catch(() => false);
      await Promise.race([inTime, exited]);
      if (isPrinted()) return text;
      throw new Error(`Not printed (exit code ${child.exitCode}): ${String(expected)}\n${text}`);
    },
    ended: () => exited,
    signal: (name) => void child.kill(name),
  };
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-e2e-'));
  folders.push(folder);
  return folder;
}

/** `name  http://127.0.0.1:1234/docs` lines of standalone, by name. */
export const urlsIn = (output: string): Record<string, string> =>
  Object.fromEntries(
    [...output.matchAll(/^\s+([a-z-]+)\s+(http:\/\/[^/\s]+)\/docs$/gm)].map(([, name, url]) => [
      name ?? '',
      url ?? '',
    ]),
  );
