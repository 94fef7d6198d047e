import { writeFile } from 'node:fs/promises';
import { AppError, messageOf } from '@tidegate/kernel';
import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { flagTypes, type TypedFlag } from './flag-types.ts';
import { envOption, pathOf, type Place } from './shown-flag.ts';

export function registerFlagTypes(flag: Command, world: World): void {
  flag
    .command('types')
    .description(
      'TypeScript for the flags of an environment: their keys, values, and a typed client',
    )
    .addOption(envOption())
    .option('-o, --out <file>', 'write it there instead of showing it')
    .action(
      acting(world, async ({ client, out }, place: Place & { out?: string }) => {
        const { env, out: file } = place;
        const flags = await client.all<TypedFlag>('flag-service', pathOf(place, 'flags'));
        if (flags.length === 0)
          throw new AppError('CLI_NO_FLAGS', `There are no flags in ${env} to make types of.`);
        const source = flagTypes(env, flags);
        if (file === undefined) {
          out.show({ source }, () => source.trimEnd());
          return;
        }
        await write(file, source);
        out.show({ file, flags: flags.length }, () => `${file}: ${flags.length} flags of ${env}`);
      }),
    );
}

/** Thrown CLI_FILE_UNWRITABLE. */
async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw new AppError('CLI_FILE_UNWRITABLE', `${file} cannot be written: ${messageOf(cause)}`, {
      cause,
    });
  }
}
