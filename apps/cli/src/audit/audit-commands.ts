import { AppError } from '@tidegate/kernel';
import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { renderReport } from './report.ts';
import { verifyArchive } from './verify.ts';

/** `tidegate audit …` */
export function registerAudit(program: Command, world: World): void {
  program
    .command('audit')
    .description('the audit log')
    .command('verify <folder>')
    .description('prove an archive without any service: each record, its place, the seals')
    .option(
      '--key <file...>',
      'public key, PEM, that seals must be signed with; else the archive’s own',
    )
    .option(
      '--expect-seal <root:size>',
      'a seal that the archive must contain, from the bus or an earlier run',
    )
    .addHelpText('after', '\nExit codes: 0 proven, 1 not proven, 2 wrong usage.')
    .action(
      acting(world, async ({ out }, folder: string, options: Options) => {
        const report = await verifyArchive(folder, {
          keyFiles: options.key ?? [],
          ...(options.expectSeal === undefined ? {} : { expectSeal: options.expectSeal }),
        });
        out.show(report, () => renderReport(report));
        if (!report.proven) throw new AppError('AUDIT_NOT_PROVEN', 'The archive is not proven.');
      }),
    );
}

interface Options {
  readonly key?: string[];
  readonly expectSeal?: string;
}
