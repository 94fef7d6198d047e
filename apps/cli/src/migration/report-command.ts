import { AppError } from '@tidegate/kernel';
import { markdownOf, pageOf } from '@tidegate/migration/report';
import { type Command, Option } from 'commander';
import { acting, type World } from '../command.ts';
import { humanReport, pathOf, reportsIn, type ShownRun } from './shown-run.ts';

interface ReportOptions {
  readonly format?: 'markdown' | 'json';
}

/** What a run has found and done. */
export function registerReport(migration: Command, world: World): void {
  migration
    .command('report <run>')
    .description('what a run has found and done')
    .addOption(
      new Option('--format <format>', 'for a ticket or a program').choices(['markdown', 'json']),
    )
    .action(
      acting(world, async ({ client, out }, run: string, { format }: ReportOptions) => {
        const { body } = await client.call<ShownRun>('migration-runner', 'GET', pathOf(run));
        const { report } = body;
        if (report === undefined) throw new AppError('CLI_REFUSED', whyNone(body));
        if (format === 'markdown') out.line(markdownOfRun({ ...body, report }));
        else if (format === 'json') out.line(JSON.stringify(report, null, 2));
        else out.show(report, () => humanReport(body).join('\n').trim());
      }),
    );
}

const whyNone = ({ run, status, message }: ShownRun): string =>
  `${run} is ${status} and has no report${message === undefined ? '.' : `: ${message}`}`;

function markdownOfRun({ run, migration, report }: ShownRun & Required<Pick<ShownRun, 'report'>>) {
  const pages = reportsIn(report).map((each) => markdownOf(pageOf(each, migration)));
  if (pages.length > 0) return pages.join('\n').trimEnd();
  throw new AppError('CLI_REFUSED', `The report of ${run} is of a version that is not known here.`);
}
