import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '@tidegate/kernel/testing';
import { asUser, DIES_WITH_US } from '../servers/process.ts';

/** A shell in which somebody types one block of commands after the other. */
export interface Terminal extends AsyncDisposable {
  /** Everything it has shown so far. */
  readonly output: () => string;
  /** Resolves when all its commands have worked; rejects with what was shown if one has not. */
  run(commands: string): Promise<void>;
  /** Types it and does not wait for its end. */
  type(commands: string): void;
}

export function openTerminal(folder: string, env: Readonly<Record<string, string>>): Terminal {
  const [program = 'bash', ...args] = asUser(undefined, 'bash', ['--norc'], DIES_WITH_US);
  const child = spawn(program, args, {
    cwd: folder,
    // Plain text wherever it runs: CI=true asks for colours.
    env: { ...process.env, FORCE_COLOR: undefined, NO_COLOR: '1', ...env },
    detached: true,
  });
  let output = '';
  const keep = (chunk: Buffer): void => void (output += chunk.toString());
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const closed = once(child, 'close');
  const type = (commands: string): void => void child.stdin.write(`${commands}\n`);
  type('shopt -s expand_aliases; set -o errexit');
  let typed = 0;
  return {
    output: () => output,
    type,
    run: async (commands) => {
      const end = `-- ${(typed += 1)} done --`;
      type(`${commands}\necho '${end}'`);
      await eventually(() => output.includes(end) || child.exitCode !== null, 120_000);
      if (!output.includes(end)) throw new Error(`Not all of it worked:\n${commands}\n${output}`);
    },
    [Symbol.asyncDispose]: async () => {
      // What it has started too.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
      await closed;
    },
  };
}
