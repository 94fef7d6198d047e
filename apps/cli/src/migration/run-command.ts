import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { addFlowOptions, addWorkOptions, type FlowOptions, optionsOf } from './run-options.ts';
import { actionOf, addActions, type ActionOptions } from './run-action.ts';
import { humanRun, type ShownRun } from './shown-run.ts';
import { watchRun } from './watch-run.ts';

interface RunOptions extends ActionOptions, FlowOptions {
  readonly reason?: string;
  readonly detach?: boolean;
}

export function registerRun(migration: Command, world: World): void {
  const run = migration
    .command('run <id>')
    .description('dry run by default; waits for the end, and exits with 1 if it failed');
  addFlowOptions(addWorkOptions(addActions(run)))
    .option('-r, --reason <reason>', 'why; it is in the log and in the audit log')
    .option('--detach', 'start it, and do not wait for its end')
    .action(
      acting(world, async (tools, id: string, options: RunOptions) => {
        const { reason, detach } = options;
        const body = { migration: id, action: actionOf(options), ...optionsOf(options), reason };
        const started = await tools.client.call<ShownRun>('migration-runner', 'POST', '/v1/runs', {
          body,
        });
        if (detach === true) tools.out.show(started.body, () => humanRun(started.body));
        else await watchRun(tools, started.body);
      }),
    );
}
