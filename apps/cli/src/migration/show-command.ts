import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { humanRun, pathOf, type ShownRun } from './shown-run.ts';
import { watchRun } from './watch-run.ts';

export function registerShow(migration: Command, world: World): void {
  migration
    .command('show <run>')
    .description('how a run stands')
    .option('-w, --watch', 'stay until it ends; exits with 1 unless it completes')
    .action(
      acting(world, async (tools, run: string, { watch }: { watch?: boolean }) => {
        const { body } = await tools.client.call<ShownRun>('migration-runner', 'GET', pathOf(run));
        if (watch === true) await watchRun(tools, body);
        else tools.out.show(body, () => humanRun(body));
      }),
    );
}
