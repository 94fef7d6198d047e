import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { table } from '../output/output.ts';

interface Shown {
  readonly environment: string;
  readonly description?: string;
}

export function registerEnvironment(program: Command, world: World): void {
  const environment = program.command('environment').description('where flags live');

  environment
    .command('list')
    .description('those that the key may use')
    .action(
      acting(world, async ({ client, out }) => {
        const items = await client.all<Shown>('flag-service', '/v1/environments');
        out.show({ items }, () =>
          table(
            ['environment', 'about'],
            items.map((each) => [each.environment, each.description ?? '']),
            'There are no environments yet: tidegate environment create <name>',
          ),
        );
      }),
    );

  environment
    .command('create <name>')
    .description('make an environment, or describe it anew; there is no way to take it away')
    .option('-d, --description <text>', 'what it is for')
    .action(
      acting(world, async ({ client, out }, name: string, body: { description?: string }) => {
        const path = `/v1/environments/${encodeURIComponent(name)}`;
        const all = await client.all<Shown>('flag-service', '/v1/environments');
        const present = all.find(({ environment }) => environment === name);
        // Put without a description, it would lose the one it has.
        const isDone = present !== undefined && body.description === undefined;
        const shown = isDone
          ? present
          : (await client.call<Shown>('flag-service', 'PUT', path, { body })).body;
        out.show(shown, () => `There is an environment ${name}.`);
      }),
    );
}
