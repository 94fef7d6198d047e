import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { table, toned } from '../output/output.ts';
import { registerExpose } from './expose-command.ts';
import { registerKill } from './disable-command.ts';
import { registerCompare } from './compare-command.ts';
import { registerCopy, registerPast } from './copy-commands.ts';
import { registerImport } from './import-command.ts';
import { registerFlagLife } from './life-commands.ts';
import { registerSet } from './set-command.ts';
import {
  envOption,
  exposureOf,
  heldBy,
  humanFlag,
  ifVersion,
  pathOf,
  type Place,
  type Reasoned,
  reasonOption,
  type ShownFlag,
  stateOf,
  versionOption,
} from './shown-flag.ts';
import { registerFlagTypes } from './types-commands.ts';

export function registerFlag(program: Command, world: World): void {
  const flag = program.command('flag').description('flags of an environment');
  registerReading(flag, world);
  registerSet(flag, world, 'flags', humanFlag);
  registerDelete(flag, world);
  registerExpose(flag, world);
  registerKill(flag, world);
  registerPast(flag, world, 'flags', humanFlag);
  registerCopy(flag, world);
  registerFlagLife(flag, world);
  registerImport(flag, world);
  registerCompare(flag, world);
  registerFlagTypes(flag, world);
}

interface Wanted extends Place {
  readonly search?: string;
  readonly tag?: string;
  readonly state?: string;
  readonly type?: string;
  readonly heldBy?: string;
}

function registerReading(flag: Command, world: World): void {
  flag
    .command('list')
    .description('every flag, or those that are all of what is asked for')
    .addOption(envOption())
    .option('-s, --search <text>', 'a text in key, description or owner')
    .option('-t, --tag <tag>', 'with this tag')
    .option('--state <state>', 'enabled or disabled')
    .option('--type <type>', 'boolean, string, number, object or mode')
    .option('--held-by <rollout>', 'held by this rollout, or relied on')
    .action(
      acting(world, async ({ client, out }, wanted: Wanted) => {
        const { search: q, tag, state, type, heldBy: rollout } = wanted;
        const filters = Object.entries({ q, tag, state, type, heldBy: rollout }).filter(
          (each): each is [string, string] => each[1] !== undefined,
        );
        const query = filters.length > 0 ? `?${new URLSearchParams(filters).toString()}` : '';
        const items = await client.all<ShownFlag>(
          'flag-service',
          `${pathOf(wanted, 'flags')}${query}`,
        );
        const none = filters.length > 0 ? 'No flag is all of that' : 'There are no flags';
        out.show({ items }, () => list(items, `${none} in ${wanted.env}.`));
      }),
    );

  flag
    .command('get <key>')
    .description('one flag')
    .addOption(envOption())
    .action(
      acting(world, async ({ client, out }, key: string, place: Place) => {
        const path = pathOf(place, 'flags', key);
        const { body } = await client.call<ShownFlag>('flag-service', 'GET', path);
        out.show(body, () => humanFlag(body));
      }),
    );
}

const list = (items: readonly ShownFlag[], none: string): string =>
  table(
    ['flag', 'state', 'exposure', 'held by', 'version'],
    items.map((each) => [
      each.key,
      toned(stateOf(each)),
      exposureOf(each),
      heldBy(each),
      each.version,
    ]),
    none,
  );

function registerDelete(flag: Command, world: World): void {
  flag
    .command('delete <key>')
    .description('delete a flag; applications then get their own default')
    .addOption(envOption())
    .addOption(reasonOption())
    .addOption(versionOption())
    .action(
      acting(
        world,
        async ({ client, out }, key: string, options: Reasoned & { ifVersion?: string }) => {
          const query = new URLSearchParams({ reason: options.reason }).toString();
          const path = `${pathOf(options, 'flags', key)}?${query}`;
          const { body } = await client.call<ShownFlag>('flag-service', 'DELETE', path, {
            headers: ifVersion(options.ifVersion),
          });
          out.show(body, () => `${key} is deleted; tidegate flag restore brings it back.`);
        },
      ),
    );

  for (const [verb, about] of Object.entries(verbs))
    flag
      .command(`${verb} <key>`)
      .description(about)
      .addOption(envOption())
      .addOption(reasonOption())
      .action(
        acting(world, async ({ client, out }, key: string, options: Reasoned) => {
          const path = `${pathOf(options, 'flags', key)}/${verb}`;
          const { body } = await client.call<ShownFlag>('flag-service', 'POST', path, {
            body: { reason: options.reason },
          });
          out.show(body, () => humanFlag(body));
        }),
      );
}

/** What a person does to a flag with nothing but a reason. */
const verbs = {
  enable: 'let a flag serve again',
  release: 'free a flag from the rollouts that hold it or rely on it',
} as const;
