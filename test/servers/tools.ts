import { execFileSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Downloads and builds are kept here between runs. */
export const cache = (): string =>
  process.env['TIDEGATE_SERVERS_CACHE'] ?? join(homedir(), '.cache', 'tidegate-servers');

/** The program's path, from PATH or from where Debian puts servers; undefined if it is not installed. */
export function findProgram(name: string): string | undefined {
  const places = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/lib/postgresql/15/bin',
  ];
  return places.map((place) => join(place, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // that is the answer
  }
}

/** Thrown with the sentence for the person who has to install it. */
export function needProgram(name: string, how: string): string {
  const found = findProgram(name);
  if (found === undefined) throw new MissingServer(`${name} is not installed: ${how}`);
  return found;
}

/** The server is not to be had here; anything else that goes wrong is an error. */
export class MissingServer extends Error {}

/**
 * A folder of the cache, made once: a build that breaks off leaves nothing that looks finished. Of two at the same
 * time the first one stays: its files may be in use already.
 */
export function cached(name: string, build: (folder: string) => void): string {
  const folder = join(cache(), name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache(), { recursive: true });
  const unfinished = mkdtempSync(`${folder}.unfinished-`);
  try {
    build(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

export const run = (
  program: string,
  args: readonly string[],
  cwd?: string,
  env: Readonly<Record<string, string>> = {},
): string =>
  execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
