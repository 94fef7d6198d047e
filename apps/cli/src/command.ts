import { readFileSync } from 'node:fs';
import { AppError, messageOf } from '@tidegate/kernel';
import type { Command } from 'commander';
import { type Client, createClient, type Env } from './http/client.ts';
import { createOutput, type Output } from './output/output.ts';

/** What every command gets. */
export interface World {
  readonly env: Env;
  readonly write: (text: string) => void;
  readonly random: (bytes: number) => Uint8Array;
  readonly signal: AbortSignal;
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
    const tools = { client: createClient(world.env), out: createOutput(json, world.write), world };
    return action(tools, ...(args.slice(0, -1) as A));
  };

export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new AppError('CLI_FILE_UNREADABLE', `${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** JSON of a file; a mistake is said with the file's name. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readText(file)) as unknown;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('CLI_FILE_UNREADABLE', `${file} is not JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
