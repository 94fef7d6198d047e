import type { Command } from 'commander';
import { acting, wholeNumber, type World } from '../command.ts';
import { table, time } from '../output/output.ts';
import {
  changesTable,
  type Difference,
  envOption,
  pathOf,
  type Place,
  type Reasoned,
  reasonOption,
  short,
} from './shown-flag.ts';

interface PastChange {
  readonly version: number;
  readonly at: number;
  readonly type: string;
  readonly by: string;
  readonly reason?: string;
  readonly changes: readonly Difference[];
}

interface CopyOptions {
  readonly from: string;
  readonly to: string;
  readonly dryRun?: boolean;
  readonly reason: string;
}

/** What a flag or segment was before, and bringing it back. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what is answered is what `human` shows
export function registerPast<S>(
  command: Command,
  world: World,
  noun: 'flags' | 'segments',
  human: (shown: S) => string,
): void {
  const one = noun === 'flags' ? 'flag' : 'segment';
  command
    .command('history <key>')
    .description('who changed what, when and why; newest first')
    .addOption(envOption())
    .option('-n, --limit <n>', 'how many changes', wholeNumber, 20)
    .action(
      acting(world, async ({ client, out }, key: string, options: Place & { limit: number }) => {
        const path = `${pathOf(options, noun, key)}/history?limit=${options.limit}`;
        const { body } = await client.call<{ items: PastChange[] }>('flag-service', 'GET', path);
        out.show(body, () => historyTable(body.items, `There never was a ${one} ${key}.`));
      }),
    );

  command
    .command('restore')
    .argument('<key>')
    .argument('<version>', 'as the history counts them', wholeNumber)
    .description(`put the definition of an earlier version back, also of a deleted ${one}`)
    .addOption(envOption())
    .addOption(reasonOption())
    .action(
      acting(world, async ({ client, out }, key: string, version: number, options: Reasoned) => {
        const path = `${pathOf(options, noun, key)}/restore`;
        const { body } = await client.call<S>('flag-service', 'POST', path, {
          body: { version, reason: options.reason },
        });
        out.show(body, () => human(body));
      }),
    );
}

export function registerCopy(flag: Command, world: World): void {
  flag
    .command('copy <key>')
    .description('copy a definition to another environment')
    .requiredOption('--from <environment>', 'where it is')
    .requiredOption('--to <environment>', 'where it shall be')
    .option('--dry-run', 'only say what would change there')
    .addOption(reasonOption())
    .action(
      acting(world, async ({ client, out }, key: string, options: CopyOptions) => {
        const { from, to, dryRun = false, reason } = options;
        const path = `${pathOf({ env: from }, 'flags', key)}/copy`;
        const { body } = await client.call<{ isNew: boolean; changes: Difference[] }>(
          'flag-service',
          'POST',
          path,
          { body: { to, dryRun, reason } },
        );
        const what = body.isNew ? `${key} is new in ${to}` : `${key} in ${to}`;
        out.show(
          body,
          () => `${what}${dryRun ? ' (nothing was changed)' : ''}:\n${changesTable(body.changes)}`,
        );
      }),
    );
}

const historyTable = (items: readonly PastChange[], none: string): string =>
  table(
    ['version', 'when', 'by', 'what', 'why'],
    items.map(({ version, at, by, type, reason, changes }) => [
      version,
      time(at),
      by,
      [type.replace(/^(?:Flag|Segment)/, '').toLowerCase(), ...changes.map(line)].join('\n'),
      short(reason),
    ]),
    none,
  );

const line = ({ path, before, after }: Difference): string => {
  if (before === undefined) return `+ ${path} ${short(after)}`;
  if (after === undefined) return `- ${path} ${short(before)}`;
  return `  ${path} ${short(before)} → ${short(after)}`;
};
