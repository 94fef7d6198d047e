import { AppError } from '@tidegate/kernel';
import { type Command, Option } from 'commander';
import { acting, readJson, type World } from '../command.ts';
import { table, toned } from '../output/output.ts';
import { envOption } from './shown-flag.ts';

interface Report {
  readonly environment: string;
  readonly dryRun: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly flags: readonly Imported[];
}
interface Imported {
  readonly key: string;
  readonly result: string;
  readonly problems?: readonly { readonly where: string; readonly what: string }[];
  readonly differences?: readonly { readonly field: string }[];
  readonly message?: string;
  readonly disabled?: boolean;
}
interface Options {
  readonly env: string;
  readonly format: string;
  readonly dryRun?: boolean;
}

export function registerImport(flag: Command, world: World): void {
  flag
    .command('import <file>')
    .description('bring flags of another system, without moving a user ("-": standard input)')
    .addOption(envOption())
    .addOption(
      new Option('-f, --format <format>', 'of the file').choices(['flagd']).makeOptionMandatory(),
    )
    .option('--dry-run', 'only say what would come of each flag')
    .action(
      acting(world, async ({ client, out }, file: string, options: Options) => {
        const { body } = await client.call<Report>('flag-service', 'POST', pathOf(options), {
          body: await readJson(file),
        });
        out.show(body, () => human(body));
        const { 'not-expressible': inexpressible = 0, refused = 0 } = body.counts;
        if (inexpressible + refused === 0) return;
        throw new AppError(
          'CLI_REFUSED',
          `${inexpressible + refused} of ${body.flags.length} flags ${body.dryRun ? 'would not be' : 'were not'} imported.`,
        );
      }),
    );
}

const pathOf = ({ env, format, dryRun }: Options): string =>
  `/v1/environments/${encodeURIComponent(env)}/import?format=${format}${dryRun ? '&dryRun=true' : ''}`;

const human = ({ environment, dryRun, flags }: Report): string =>
  table(
    ['flag', dryRun ? 'would be' : 'was', 'what'],
    flags.map((each) => [each.key || '(the file)', toned(each.result), detailOf(each)]),
    `There is no flag in the file for ${environment}.`,
  );

function detailOf({ problems = [], differences = [], message, disabled }: Imported): string {
  const lines = [
    ...problems.map(({ where, what }) => (where === '' ? what : `${where}: ${what}`)),
    ...(differences.length > 0 ? [differences.map(({ field }) => field).join(', ')] : []),
    ...(message === undefined ? [] : [message]),
    ...(disabled === true ? ['off'] : []),
  ];
  return lines.join('\n');
}
