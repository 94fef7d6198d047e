import { createHash } from 'node:crypto';
import { newApiKey, roles, type Role } from '@tidegate/contracts';
import { AppError, isRejection } from '@tidegate/kernel';
import { type Command, Option } from 'commander';
import { acting, type World } from '../command.ts';
import { facts } from '../output/output.ts';

export function registerKey(program: Command, world: World): void {
  program
    .command('key')
    .description('API keys')
    .command('new <name>')
    .description('make a key and its line for API_KEYS_FILE; the key is shown once')
    .addOption(
      new Option('--role <role>', 'what it may do').choices([...roles]).default('operator'),
    )
    .option('-e, --env <environment...>', 'environments it may be used in', ['*'])
    .action(
      acting(world, async ({ out }, name: string, options: { role: Role; env: string[] }) => {
        const made = newApiKey(
          { name, role: options.role, environments: options.env },
          world.random(32),
          (text) => createHash('sha256').update(text).digest('hex'),
        );
        if (isRejection(made)) throw new AppError('CLI_REFUSED', made.message);
        out.show(made, () =>
          facts([
            ['key', made.key],
            ['line for API_KEYS_FILE', made.line],
          ]),
        );
      }),
    );
}
