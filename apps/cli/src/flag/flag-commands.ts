import { type Command, Option } from 'commander';
import { acting, readJson, type World } from '../command.ts';
import { facts, table, time, toned } from '../output/output.ts';

interface Shown {
  readonly key: string;
  readonly version: number;
  readonly epoch: number;
  readonly published?: boolean;
  readonly changed?: boolean;
  readonly flag: {
    readonly definition: {
      readonly type: string;
      readonly variants: Record<string, unknown>;
      readonly defaultVariant: string;
      readonly exposure: { readonly variant: string; readonly percentage: number };
      readonly allowedUsers: readonly string[];
      readonly owner?: string;
      readonly description?: string;
    };
    readonly disabled?: { readonly reason: string; readonly at: number; readonly by: string };
    readonly hold?: { readonly rollout: { readonly id: string } };
  };
}
interface Place {
  readonly env: string;
}

const stateOf = ({ flag }: Shown): string => (flag.disabled ? 'disabled' : 'enabled');
const pathOf = ({ env }: Place, key?: string): string =>
  `/v1/environments/${encodeURIComponent(env)}/flags${key === undefined ? '' : `/${encodeURIComponent(key)}`}`;

const human = (shown: Shown): string => {
  const { definition, disabled, hold } = shown.flag;
  return facts([
    ['flag', shown.key],
    ['state', toned(stateOf(shown))],
    ['disabled', disabled && `${disabled.reason} (${disabled.by}, ${time(disabled.at)})`],
    ['exposure', `${definition.exposure.percentage} % get ${definition.exposure.variant}`],
    ['else', definition.defaultVariant],
    ['allowed', definition.allowedUsers.join(', ')],
    ['held by', hold?.rollout.id],
    ['owner', definition.owner],
    ['about', definition.description],
    ['version', `${shown.epoch}.${shown.version}`],
    [
      'published',
      shown.published === false ? 'not yet: the bus is away, it follows by itself' : undefined,
    ],
  ]);
};

export function registerFlag(program: Command, world: World): void {
  const flag = program.command('flag').description('flags of an environment');
  const env = () => new Option('-e, --env <environment>', 'environment').default('production');

  flag
    .command('list')
    .description('every flag')
    .addOption(env())
    .action(
      acting(world, async ({ client, out }, place: Place) => {
        const items = await client.all<Shown>('flag-service', pathOf(place));
        out.show({ items }, () =>
          table(
            ['flag', 'state', 'exposure', 'held by', 'version'],
            items.map((each) => [
              each.key,
              toned(stateOf(each)),
              `${each.flag.definition.exposure.percentage} % ${each.flag.definition.exposure.variant}`,
              each.flag.hold?.rollout.id ?? '',
              each.version,
            ]),
            `There are no flags in ${place.env}.`,
          ),
        );
      }),
    );

  flag
    .command('get <key>')
    .description('one flag')
    .addOption(env())
    .action(
      acting(world, async ({ client, out }, key: string, place: Place) => {
        const { body } = await client.call<Shown>('flag-service', 'GET', pathOf(place, key));
        out.show(body, () => human(body));
      }),
    );

  flag
    .command('set <key> <file>')
    .description('create or change a flag from a JSON file ("-": standard input)')
    .addOption(env())
    .option('--if-version <version>', 'only if the flag is still at this version, e.g. 1.4')
    .action(
      acting(
        world,
        async (
          { client, out },
          key: string,
          file: string,
          place: Place & { ifVersion?: string },
        ) => {
          const { ifVersion } = place;
          const { body } = await client.call<Shown>('flag-service', 'PUT', pathOf(place, key), {
            body: await readJson(file),
            headers: ifVersion === undefined ? {} : { 'if-match': `"${ifVersion}"` },
          });
          out.show(body, () => human(body));
        },
      ),
    );

  for (const [verb, about] of Object.entries(verbs))
    flag
      .command(`${verb} <key>`)
      .description(about)
      .addOption(env())
      .requiredOption('-r, --reason <reason>', 'why; it is in the audit log')
      .action(
        acting(world, async ({ client, out }, key: string, place: Place & { reason: string }) => {
          const path = `${pathOf(place, key)}/${verb}`;
          const { body } = await client.call<Shown>('flag-service', 'POST', path, {
            body: { reason: place.reason },
          });
          out.show(body, () => human(body));
        }),
      );
}

/** What a person does to a flag with nothing but a reason. */
const verbs = {
  disable: 'turn a flag off for everyone, now',
  enable: 'let a flag serve again',
  release: 'free a flag from the rollout that holds it',
} as const;
