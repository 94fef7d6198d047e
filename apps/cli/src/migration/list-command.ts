import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { table } from '../output/output.ts';

interface Migration {
  readonly id: string;
  readonly phase: string;
  readonly target: string;
  readonly collection: string;
  readonly description?: string;
  readonly done: 'nothing' | 'partly' | 'all';
  readonly verified: boolean;
  readonly cutOver: boolean;
  readonly isChanged?: boolean;
  readonly forgottenBy?: string;
}

export function registerList(migration: Command, world: World): void {
  migration
    .command('list')
    .description('what the runner has loaded, and how it stands')
    .action(
      acting(world, async ({ client, out }) => {
        const { body } = await client.call<{ items: Migration[] }>(
          'migration-runner',
          'GET',
          '/v1/migrations',
        );
        out.show(body, () =>
          table(
            ['migration', 'phase', 'target', 'collection', 'state', 'about'],
            body.items.map((each) => [
              each.id,
              each.phase,
              each.target,
              each.collection,
              stateOf(each),
              each.description ?? '',
            ]),
            'The runner has no migrations: is MIGRATIONS_DIR set?',
          ),
        );
      }),
    );
}

const DONE = { nothing: '', partly: 'executed in part', all: 'executed' } as const;

const stateOf = ({ done, verified, cutOver, isChanged, forgottenBy }: Migration): string =>
  [
    DONE[done],
    verified ? 'verified' : '',
    cutOver ? 'cut over' : '',
    forgottenBy === undefined ? '' : 'cleaned up',
    isChanged === true ? 'its text was changed since' : '',
  ]
    .filter((word) => word !== '')
    .join(', ');
