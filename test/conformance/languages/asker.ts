import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { asUser, DIES_WITH_US } from '../../servers/process.ts';
import type { Built } from './languages.ts';

export type Kind = 'boolean' | 'string' | 'integer' | 'float' | 'object';

export interface Question {
  readonly flag: string;
  readonly type: Kind;
  readonly default: unknown;
  readonly context?: Readonly<Record<string, unknown>>;
}

/** What an SDK made of the service's answer. */
export interface Told {
  readonly value: unknown;
  readonly variant?: string | null;
  readonly reason?: string | null;
  readonly errorCode?: string | null;
  readonly errorMessage?: string | null;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
}

export interface Asker extends AsyncDisposable {
  ask(question: Question): Promise<Told>;
}

/** Where the programs ask, and as whom. */
export interface Place {
  readonly url: string;
  readonly key: string;
}

const environment = ({ env }: Built, { url, key }: Place) => ({
  ...process.env,
  ...env,
  TIDEGATE_OFREP_URL: url,
  TIDEGATE_KEY: key,
});

/** A running program that answers one question after the other. */
export function startAsker(built: Built, place: Place): Asker {
  const [command, ...args] = built.command('ask');
  const [program = command, ...rest] = asUser(undefined, command, args, DIES_WITH_US);
  const child = spawn(program, rest, { env: environment(built, place) });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => void (errors += chunk.toString()));
  const closed = once(child, 'close');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    ask: async (question) => {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`The program ended:\n${errors}`);
      return JSON.parse(value) as Told;
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** What the shop's program prints. */
export async function checkout(built: Built, place: Place): Promise<string> {
  const [command, ...args] = built.command('checkout');
  const { stdout } = await promisify(execFile)(command, args, { env: environment(built, place) });
  return stdout;
}
