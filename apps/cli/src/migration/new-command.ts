import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '@tidegate/kernel';
import { type Command, Option } from 'commander';
import { acting, type World } from '../command.ts';
import { type Kind, kinds, newMigration } from './new-migration.ts';

interface NewOptions {
  readonly kind: Kind;
  readonly target: string;
  readonly collection: string;
  readonly dir?: string;
}

export const migrationsFolder = ({ env }: World): string => env['MIGRATIONS_DIR'] ?? 'migrations';

export function registerNew(migration: Command, world: World): void {
  migration
    .command('new <id>')
    .description('write a migration file to begin with')
    .addOption(new Option('-k, --kind <kind>', 'what it is').choices(kinds).default('data'))
    .option('--target <name>', 'the database, as MIGRATION_TARGETS names it', '')
    .option('--collection <name>', 'collection or table', '')
    .option('--dir <folder>', 'where to (default: MIGRATIONS_DIR, else migrations)')
    .action(
      acting(world, async ({ out }, id: string, options: NewOptions) => {
        if (!/^[a-z0-9](?:[a-z0-9-]{0,126}[a-z0-9])?$/.test(id))
          throw new AppError('CLI_USAGE', `${id} is no id: expected lower-case words with dashes.`);
        const folder = options.dir ?? migrationsFolder(world);
        const file = join(folder, `${id}.ts`);
        await writeNew(folder, file, newMigration(options.kind, { ...options, id }));
        out.show(
          { file },
          () => `${file} is yours to edit; then: tidegate migration check ${file}`,
        );
      }),
    );
}

/** Thrown CLI_FILE_UNWRITABLE, also when the file is there. */
async function writeNew(folder: string, file: string, text: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    throw new AppError('CLI_FILE_UNWRITABLE', `${file} cannot be written: ${messageOf(cause)}`, {
      cause,
    });
  }
}
