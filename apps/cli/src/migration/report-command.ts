import { AppError } from '@tidegate/kernel';
import { type Command, Option } from 'commander';
import { acting, type Tools, type World } from '../command.ts';
import { humanReport, pathOf, type ShownRun } from './shown-run.ts';

/** What a run has found and done. */
export function registerReport(migration: Command, world: World): void {
  migration
    .command('report <run>')
    .description('what a run has found and done, and what it leaves to decide')
    .addOption(
      new Option('--format <format>', 'for a ticket, or for a program').choices([
        'markdown',
        'json',
      ]),
    )
    .action(
      acting(world, async (tools, run: string, { format }: { format?: 'markdown' | 'json' }) => {
        const { client, out } = tools;
        if (format === undefined && !out.json) return out.line(await onTerminal(tools, run));
        const path = `${pathOf(run)}/report?format=${format ?? 'json'}`;
        const { body } = await client.call<unknown>('migration-runner', 'GET', path);
        out.line(typeof body === 'string' ? body.trimEnd() : JSON.stringify(body, null, 2));
      }),
    );
}

async function onTerminal({ client }: Tools, name: string): Promise<string> {
  const { body: run } = await client.call<ShownRun>('migration-runner', 'GET', pathOf(name));
  if (run.report !== undefined) return humanReport(run).join('\n').trimStart();
  const why = run.message === undefined ? '' : `: ${run.message}`;
  throw new AppError('CLI_REFUSED', `${name} is ${run.status} and has no report${why}.`);
}
