import type { Command } from 'commander';
import { acting, wholeNumber, type World } from '../command.ts';
import { pathOf, type ShownRun } from './shown-run.ts';
import { watchRun } from './watch-run.ts';

interface RevertOptions {
  readonly reason: string;
  readonly batchSize?: number;
  readonly acceptChange?: string;
}

export function registerRevert(migration: Command, world: World): void {
  migration
    .command('revert <run>')
    .description('put back what the migration of this run has changed, in all its runs')
    .requiredOption('-r, --reason <reason>', 'why; it is in the log and in the audit log')
    .option('--batch-size <n>', 'the most documents in a batch', wholeNumber)
    .option('--accept-change <reason>', 'why a text is right that is not what was executed before')
    .action(
      acting(world, async (tools, run: string, options: RevertOptions) => {
        const path = `${pathOf(run)}/revert`;
        const { reason, batchSize, acceptChange } = options;
        const { body } = await tools.client.call<ShownRun>('migration-runner', 'POST', path, {
          body: { reason, batchSize, acceptChange },
        });
        await watchRun(tools, body);
      }),
    );
}
