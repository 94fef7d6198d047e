import { readdir } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AppError, messageOf } from '@tidegate/kernel';
import type { AnyMigration } from './migration.ts';
import { dependencyProblems } from './dependencies.ts';
import { hashOf } from './hash.file.ts';
import { migrationProblems } from './problems.ts';

/** A migration as it was loaded; `hash` is of its file's text, with what it imports from beside it. */
export interface Loaded {
  readonly migration: AnyMigration;
  readonly hash: string;
  readonly file: string;
}

export type Migrations = ReadonlyMap<string, Loaded>;

/** What could be loaded, and every problem of what could not, with its file. */
interface Read {
  readonly migrations: Migrations;
  readonly problems: readonly string[];
}

/**
 * Lets migrations lie anywhere: where their folder has no package of this library, they get this one. For the whole
 * process, so it is for `main.ts` to say.
 */
export function shareLibrary(): void {
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        if (specifier !== '@tidegate/migration') throw error;
        return next(import.meta.resolve('@tidegate/migration'), context);
      }
    },
  });
}

/**
 * Every `*.ts`, `*.js` and `*.mjs` file of the folder, by migration id. TypeScript runs as it is: types are
 * stripped, nothing is built. Thrown MIGRATION_FILE_INVALID, naming every problem of every file.
 */
export async function loadMigrations(folder: string): Promise<Migrations> {
  const { migrations, problems } = await readMigrations(folder).catch((error: unknown) => {
    throw invalid(`MIGRATIONS_DIR ${messageOf(error)}`, error);
  });
  if (problems.length > 0)
    throw invalid(`Unusable migrations in MIGRATIONS_DIR:\n${problems.join('\n')}`);
  return migrations;
}

/**
 * One file, or every file of a folder and what they are to each other. Thrown MIGRATION_FILE_INVALID when there is
 * nothing to read.
 */
export async function readMigrations(path: string): Promise<Read> {
  const files = await filesAt(path);
  const results = await Promise.all(files.map(loadOne));
  const problems = results.flatMap((result) => ('problems' in result ? result.problems : []));
  const loaded = results.filter((result) => 'migration' in result);
  const byId = new Map<string, Loaded>();
  for (const each of loaded) {
    const other = byId.get(each.migration.id);
    if (other)
      problems.push(`${each.file}: id: ${other.file} has the same id ${each.migration.id}`);
    byId.set(each.migration.id, each);
  }
  const isWhole = problems.length === 0 && !isSource(path);
  return {
    migrations: byId,
    problems: [...problems, ...(isWhole ? dependencyProblems(byId) : [])],
  };
}

const isSource = (name: string): boolean => /(?<!\.d|\.spec)\.(ts|js|mjs)$/.test(name);

async function filesAt(path: string): Promise<string[]> {
  if (isSource(path)) return [path];
  try {
    const names = await readdir(path);
    return names
      .filter(isSource)
      .sort()
      .map((name) => join(path, name));
  } catch (error) {
    throw invalid(`${path} cannot be read: ${messageOf(error)}`, error);
  }
}

async function loadOne(path: string): Promise<Loaded | { problems: string[] }> {
  const file = resolve(path);
  try {
    const url = pathToFileURL(file);
    const hash = await hashOf(url);
    const module = (await import(url.href)) as { default?: unknown };
    const problems = migrationProblems(module.default).map((problem) => `${file}: ${problem}`);
    return problems.length > 0
      ? { problems }
      : { migration: module.default as AnyMigration, hash, file: basename(file) };
  } catch (error) {
    return { problems: [`${file}${lineOf(error, file)}: ${messageOf(error)}`] };
  }
}

/** `:3` when the error's stack names a line of the file: where its text is wrong, or where it threw. */
function lineOf(error: unknown, file: string): string {
  const stack = String((error as { stack?: unknown } | null)?.stack);
  const [, line] = /^:(\d+)/.exec(stack.slice(stack.indexOf(`${file}:`) + file.length)) ?? [];
  return line === undefined ? '' : `:${line}`;
}

const invalid = (message: string, cause?: unknown): AppError<'MIGRATION_FILE_INVALID'> =>
  new AppError('MIGRATION_FILE_INVALID', message, { cause });
