import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { AppError, messageOf } from '@tidegate/kernel';
import { type Command, InvalidArgumentError } from 'commander';
import { type Client, createClient } from './http/client.ts';
import type { Env } from './http/services.ts';
import { createOutput, type Output } from './output/output.ts';

/** What every command gets. */
export interface World {
  readonly env: Env;
  readonly write: (text: string) => void;
  readonly random: (bytes: number) => Uint8Array;
  readonly signal: AbortSignal;
  /** Asks whoever sits at the terminal; undefined where nobody does. */
  readonly ask?: (question: string) => Promise<string>;
}

export interface Tools {
  readonly client: Client;
  readonly out: Output;
  readonly world: World;
}

/** Runs a command's action with client and output by the global options. */
export const acting =
  <A extends unknown[]>(world: World, action: (tools: Tools, ...args: A) => Promise<void>) =>
  (...args: [...A, Command]): Promise<void> => {
    const command = args.at(-1) as Command;
    const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
    const tools = {
      client: createClient(world.env, world.signal),
      out: createOutput(json, world.write),
      world,
    };
    return action(tools, ...(args.slice(0, -1) as A));
  };

/** The text of a file; `-` is standard input. Thrown CLI_FILE_UNREADABLE. */
export async function readText(file: string): Promise<string> {
  try {
    // Not the descriptor 0: reading it at once fails while a pipe has nothing yet.
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw new AppError('CLI_FILE_UNREADABLE', `${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** JSON of a file; a mistake is said with the file's name. Thrown CLI_FILE_UNREADABLE. */
export async function readJson(file: string): Promise<unknown> {
  const json = await readText(file);
  try {
    return JSON.parse(json) as unknown;
  } catch (error) {
    throw new AppError('CLI_FILE_UNREADABLE', `${file} is not JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Parses the value of an option. */
export function wholeNumber(value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}
