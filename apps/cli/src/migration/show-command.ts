import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { humanRun, pathOf, type ShownRun } from './shown-run.ts';

export function registerShow(migration: Command, world: World): void {
  migration
    .command('show <run>')
    .description('how a run stands')
    .action(
      acting(world, async ({ client, out }, run: string) => {
        const { body } = await client.call<ShownRun>('migration-runner', 'GET', pathOf(run));
        out.show(body, () => humanRun(body));
      }),
    );
}
