import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AppError, messageOf } from '@tidegate/kernel';
import { type Migration, migrationProblems } from '@tidegate/migration';
import type { Loaded, Migrations } from './migrations.port.ts';

/**
 * Every `*.ts`, `*.js` and `*.mjs` file of the folder, by migration id. TypeScript runs as it is: types are
 * stripped, nothing is built. Thrown MIGRATION_FILE_INVALID, naming every problem of every file.
 */
export async function loadMigrations(folder: string): Promise<Migrations> {
  const names = (await readdir(folder)).filter((name) =>
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
  if (problems.length > 0)
    throw new AppError('MIGRATION_FILE_INVALID', `Unusable migrations:\n${problems.join('\n')}`);
  return byId;
}

async function loadOne(folder: string, name: string): Promise<Loaded | { problems: string[] }> {
  const file = join(folder, name);
  try {
    const hash = `sha256:${createHash('sha256')
      .update(await readFile(file))
      .digest('hex')}`;
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    const problems = migrationProblems(module.default).map((problem) => `${file}: ${problem}`);
    return problems.length > 0
      ? { problems }
      : { migration: module.default as Migration, hash, file: name };
  } catch (error) {
    return { problems: [`${file}: ${messageOf(error)}`] };
  }
}
