import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { table, time, toned } from '../output/output.ts';
import type { ShownRun } from './shown-run.ts';

export function registerRuns(migration: Command, world: World): void {
  migration
    .command('runs [id]')
    .description('runs of all migrations, or of one')
    .action(
      acting(world, async ({ client, out }, id?: string) => {
        const query = id === undefined ? '' : `?migration=${encodeURIComponent(id)}`;
        const items = await client.all<ShownRun>('migration-runner', `/v1/runs${query}`);
        out.show({ items }, () =>
          table(
            ['began', 'run', 'migration', 'action', 'status', 'changed'],
            inOrder(items).map((run) => [
              time(run.startedAt),
              run.run,
              run.migration,
              run.action,
              toned(run.status),
              run.counts.changed,
            ]),
            'Nothing has run yet.',
          ),
        );
      }),
    );
}

/** As they began: the last one last, beside the prompt. */
const inOrder = (runs: readonly ShownRun[]): readonly ShownRun[] =>
  runs.toSorted((a, b) => a.startedAt - b.startedAt);
