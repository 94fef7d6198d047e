import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { onOneLine, table, time } from '../output/output.ts';

interface Quarantined {
  readonly at: number;
  readonly run: string;
  readonly key: string | number;
  readonly code: string;
  readonly message: string;
  readonly document?: unknown;
}

export function registerQuarantine(migration: Command, world: World): void {
  migration
    .command('quarantine <id>')
    .description('documents that were left as they were, why, and what was in them')
    .action(
      acting(world, async ({ client, out }, id: string) => {
        const path = `/v1/migrations/${encodeURIComponent(id)}/quarantine`;
        const items = await client.all<Quarantined>('migration-runner', path);
        out.show({ items }, () =>
          table(
            ['at', 'run', 'key', 'why', 'document'],
            items.map(({ at, run, key, code, message, document }) => [
              time(at),
              run,
              key,
              onOneLine(`${code}: ${message}`) ?? '',
              document === undefined ? '' : JSON.stringify(document),
            ]),
            'Nothing is in quarantine.',
          ),
        );
      }),
    );
}
