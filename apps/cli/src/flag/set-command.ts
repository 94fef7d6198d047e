import type { Command } from 'commander';
import { acting, readJson, type World } from '../command.ts';
import { envOption, ifVersion, pathOf, type Place, versionOption } from './shown-flag.ts';

/** Writing a flag or segment from a file. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what is answered is what `human` shows
export function registerSet<S>(
  command: Command,
  world: World,
  noun: 'flags' | 'segments',
  human: (shown: S) => string,
): void {
  const one = noun === 'flags' ? 'flag' : 'segment';
  command
    .command('set <key> <file>')
    .description(`create or change a ${one} from a JSON file ("-": standard input)`)
    .addOption(envOption())
    .addOption(versionOption())
    .action(
      acting(
        world,
        async (
          { client, out },
          key: string,
          file: string,
          options: Place & { ifVersion?: string },
        ) => {
          const path = pathOf(options, noun, key);
          const { body } = await client.call<S>('flag-service', 'PUT', path, {
            body: await readJson(file),
            headers: ifVersion(options.ifVersion),
          });
          out.show(body, () => human(body));
        },
      ),
    );
}
