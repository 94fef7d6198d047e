import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AppError, messageOf } from '@tidegate/kernel';
import type { AnyMigration } from './migration.ts';
import { dependencyProblems } from './dependencies.ts';
import { migrationProblems } from './problems.ts';

/** A migration as it was loaded; `hash` is of its file's text. */
export interface Loaded {
  readonly migration: AnyMigration;
  readonly hash: string;
  readonly file: string;
}

export type Migrations = ReadonlyMap<string, Loaded>;

/**
 * Every `*.ts`, `*.js` and `*.mjs` file of the folder, by migration id. TypeScript runs as it is: types are
 * stripped, nothing is built. Thrown MIGRATION_FILE_INVALID, naming every problem of every file.
 */
export async function loadMigrations(folder: string): Promise<Migrations> {
  const names = (await filesIn(folder)).filter((name) =>
    /(?<!\.d|\.spec)\.(ts|js|mjs)$/.test(name),
  );
  const results = await Promise.all(names.sort().map((name) => loadOne(folder, name)));
  const problems = results.flatMap((result) => ('problems' in result ? result.problems : []));
  const loaded = results.filter((result) => 'migration' in result);
  const byId = new Map<string, Loaded>();
  for (const each of loaded) {
    const other = byId.get(each.migration.id);
    if (other)
      problems.push(`${each.file}: id: ${other.file} has the same id ${each.migration.id}`);
    byId.set(each.migration.id, each);
  }
  if (problems.length === 0) problems.push(...dependencyProblems(byId));
  if (problems.length > 0)
    throw invalid(`Unusable migrations in MIGRATIONS_DIR:\n${problems.join('\n')}`);
  return byId;
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw invalid(`MIGRATIONS_DIR ${folder} cannot be read: ${messageOf(error)}`, error);
  }
}

async function loadOne(folder: string, name: string): Promise<Loaded | { problems: string[] }> {
  const file = resolve(folder, name);
  try {
    const hash = `sha256:${createHash('sha256')
      .update(await readFile(file))
      .digest('hex')}`;
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    const problems = migrationProblems(module.default).map((problem) => `${file}: ${problem}`);
    return problems.length > 0
      ? { problems }
      : { migration: module.default as AnyMigration, hash, file: name };
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
