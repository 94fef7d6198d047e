import { AppError } from '@tidegate/kernel';
import { isDataMigration } from '@tidegate/migration';
import type { Finding } from '@tidegate/migration/check';
import { type Loaded, readMigrations } from '@tidegate/migration/files';
import { type Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { acting, type World } from '../command.ts';
import { migrationsFolder } from './new-command.ts';

interface Checked {
  readonly file: string;
  readonly migration: string;
  /** Documents that up and down were tried on, before others were made from them. */
  readonly samples: number;
  readonly findings: readonly Finding[];
}

const SEED = 1;
const LONGEST_TEXT = 60;

export function registerCheck(migration: Command, world: World): void {
  migration
    .command('check [path]')
    .description('hold a migration file, or all of a folder, to what the runner relies on')
    .option('--seed <number>', 'make other documents from the samples', seedOf, SEED)
    .action(
      acting(world, async ({ out }, path: string | undefined, { seed }: { seed: number }) => {
        const { migrations, problems } = await readMigrations(path ?? migrationsFolder(world));
        const { checkMigration } = await import('@tidegate/migration/check');
        const checked = [...migrations.values()].map(({ migration, file }) => ({
          file,
          migration: migration.id,
          samples: samplesOf(migration),
          findings: checkMigration(migration, { seed }),
        }));
        const shown = { seed, problems, migrations: checked.map(inJson) };
        out.show(shown, () => [...problems.map(wrong), ...checked.map(human)].join('\n'));
        refuse(seed, problems.length, checked);
      }),
    );
}

function seedOf(value: string): number {
  const seed = Number(value);
  if (Number.isInteger(seed) && Math.abs(seed) < 2 ** 31) return seed;
  throw new InvalidArgumentError('Expected a whole number.');
}

const samplesOf = (migration: Loaded['migration']): number =>
  isDataMigration(migration) ? (migration.samples?.length ?? 0) : 0;

/** Thrown CLI_REFUSED when anything was found, or there was nothing to check. */
function refuse(seed: number, problems: number, checked: readonly Checked[]): void {
  if (problems === 0 && checked.length === 0)
    throw new AppError('CLI_REFUSED', 'There are no migrations there.');
  const count = problems + checked.reduce((sum, { findings }) => sum + findings.length, 0);
  if (count > 0)
    throw new AppError(
      'CLI_REFUSED',
      `${count === 1 ? 'One thing is not as it' : `${count} things are not as they`} must be (seed ${seed}).`,
    );
}

const wrong = (problem: string): string => `${pc.red('✗')} ${problem}`;

function human({ file, migration, samples, findings }: Checked): string {
  if (findings.length === 0) {
    const tried =
      samples === 0
        ? ''
        : `, tried on ${samples} ${samples === 1 ? 'sample' : 'samples'} and on documents made from them`;
    return `${pc.green('✓')} ${migration}${tried}`;
  }
  return findings
    .map(({ rule, message, document }) =>
      [
        wrong(`${file}: ${pc.bold(rule)}: ${message}`),
        ...(document ? [`    ${shown(document)}`] : []),
      ].join('\n'),
    )
    .join('\n');
}

/** The document in JSON, with what JSON has not in words; long texts are cut. */
const shown = (document: unknown): string => JSON.stringify(plain(document));

const inJson = ({ findings, ...checked }: Checked) => ({
  ...checked,
  findings: findings.map(({ document, ...finding }) =>
    document ? { ...finding, document: plain(document) } : finding,
  ),
});

function plain(document: unknown): unknown {
  return JSON.parse(
    JSON.stringify(document, (_name, value: unknown) => {
      if (typeof value === 'bigint') return `${value}n`;
      if (Number.isNaN(value)) return 'NaN';
      if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
      return typeof value === 'string' && value.length > LONGEST_TEXT
        ? `${value.slice(0, LONGEST_TEXT)}… (${value.length} characters)`
        : value;
    }),
  ) as unknown;
}
