import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { registerPast } from '../flag/copy-commands.ts';
import { registerSet } from '../flag/set-command.ts';
import {
  envOption,
  pathOf,
  type Place,
  type Reasoned,
  reasonOption,
  short,
} from '../flag/shown-flag.ts';
import { facts, table } from '../output/output.ts';

interface Shown {
  readonly key: string;
  readonly version: number;
  readonly epoch: number;
  readonly usedBy?: { readonly flags: readonly string[]; readonly segments: readonly string[] };
  readonly segment: {
    readonly definition: {
      readonly members: readonly string[];
      readonly excluded: readonly string[];
      readonly when?: unknown;
      readonly owner?: string;
      readonly description?: string;
    };
    readonly reliedOn?: readonly { readonly id: string }[];
  };
}

const human = ({ key, epoch, version, usedBy, segment }: Shown): string => {
  const { definition, reliedOn = [] } = segment;
  return facts([
    ['segment', key],
    ['excluded', short(definition.excluded.join(', '))],
    ['members', short(definition.members.join(', '))],
    ['when', definition.when === undefined ? undefined : JSON.stringify(definition.when)],
    ['used by', [...(usedBy?.flags ?? []), ...(usedBy?.segments ?? [])].join(', ')],
    ['relied on', reliedOn.map(({ id }) => id).join(', ')],
    ['owner', definition.owner],
    ['about', definition.description],
    ['version', `${epoch}.${version}`],
  ]);
};

export function registerSegment(program: Command, world: World): void {
  const segment = program.command('segment').description('conditions that flags share');

  segment
    .command('list')
    .description('every segment')
    .addOption(envOption())
    .action(
      acting(world, async ({ client, out }, place: Place) => {
        const items = await client.all<Shown>('flag-service', pathOf(place, 'segments'));
        out.show({ items }, () =>
          table(
            ['segment', 'members', 'when', 'version'],
            items.map(({ key, version, segment: { definition } }) => [
              key,
              definition.members.length,
              short(definition.when),
              version,
            ]),
            `There are no segments in ${place.env}.`,
          ),
        );
      }),
    );

  segment
    .command('get <key>')
    .description('one segment, and who uses it')
    .addOption(envOption())
    .action(
      acting(world, async ({ client, out }, key: string, place: Place) => {
        const path = pathOf(place, 'segments', key);
        const { body } = await client.call<Shown>('flag-service', 'GET', path);
        out.show(body, () => human(body));
      }),
    );
  registerSet(segment, world, 'segments', human);
  registerDelete(segment, world);
  registerPast(segment, world, 'segments', human);
}

function registerDelete(segment: Command, world: World): void {
  segment
    .command('delete <key>')
    .description('delete a segment that nothing uses')
    .addOption(envOption())
    .addOption(reasonOption())
    .action(
      acting(world, async ({ client, out }, key: string, options: Reasoned) => {
        const query = new URLSearchParams({ reason: options.reason }).toString();
        const path = `${pathOf(options, 'segments', key)}?${query}`;
        const { body } = await client.call<Shown>('flag-service', 'DELETE', path);
        out.show(body, () => `${key} is deleted.`);
      }),
    );
}
