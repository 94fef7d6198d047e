import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '@tidegate/kernel';
import type { Command } from 'commander';
import logUpdate from 'log-update';
import { acting, type Tools, wholeNumber, type World } from '../command.ts';
import { patience, watching } from '../http/patience.http.ts';
import { facts, table, toned } from '../output/output.ts';

interface Run {
  readonly run: string;
  readonly migration: string;
  readonly action: string;
  readonly status: string;
  readonly counts: { readonly matched: number; readonly changed: number; readonly skipped: number };
  readonly code?: string;
  readonly message?: string;
  readonly report?: Record<string, unknown>;
  readonly waitsFor?: { readonly message: string };
  readonly by?: string;
  readonly reason?: string;
}
interface RunOptions {
  readonly dryRun?: boolean;
  readonly plan?: boolean;
  readonly execute?: boolean;
  readonly verify?: boolean;
  readonly batchSize?: number;
  readonly sampleSize?: number;
}

const POLL_MS = 200;
const pathOf = (run: string): string => `/v1/runs/${encodeURIComponent(run)}`;
function actionOf({ dryRun, plan, execute, verify }: RunOptions): 'plan' | 'execute' | 'verify' {
  const asked = [dryRun === true || plan === true, execute === true, verify === true];
  if (asked.filter(Boolean).length > 1)
    throw new AppError('CLI_USAGE', 'Give one of --dry-run (--plan), --execute and --verify.');
  if (execute === true) return 'execute';
  return verify === true ? 'verify' : 'plan';
}

export function registerMigration(program: Command, world: World): void {
  const migration = program.command('migration').description('data migrations');

  migration
    .command('list')
    .description('what the runner has loaded')
    .action(
      acting(world, async ({ client, out }) => {
        const { body } = await client.call<{ items: Record<string, string>[] }>(
          'migration-runner',
          'GET',
          '/v1/migrations',
        );
        out.show(body, () =>
          table(
            ['migration', 'target', 'collection', 'about'],
            body.items.map(({ id = '', target = '', collection = '', description = '' }) => [
              id,
              target,
              collection,
              description,
            ]),
            'The runner has no migrations: is MIGRATIONS_DIR set?',
          ),
        );
      }),
    );

  migration
    .command('run <id>')
    .description('dry run by default; waits for the end, and exits with 1 if it failed')
    .option('--dry-run', 'only say what would change')
    .option('--plan', 'another name of --dry-run')
    .option('--execute', 'change the data')
    .option('--verify', 'count what is left and check samples')
    .option('--batch-size <n>', 'documents in a batch', wholeNumber)
    .option('--sample-size <n>', 'documents that --verify looks at', wholeNumber)
    .action(
      acting(world, async (tools, id: string, options: RunOptions) => {
        const { batchSize, sampleSize } = options;
        const body = { migration: id, action: actionOf(options), batchSize, sampleSize };
        const started = await tools.client.call<Run>('migration-runner', 'POST', '/v1/runs', {
          body,
        });
        const { run: name } = started.body;
        const run = await watching(
          tools.world.signal,
          `${name} goes on: tidegate migration show ${name}, or pause, or cancel.`,
          () => ended(tools, started.body),
        );
        tools.out.show(run, () => human(run));
        if (run.status !== 'completed')
          throw new AppError('CLI_REFUSED', run.message ?? `The run is ${run.status}.`);
      }),
    );

  migration
    .command('show <run>')
    .description('how a run stands')
    .action(
      acting(world, async ({ client, out }, run: string) => {
        const { body } = await client.call<Run>('migration-runner', 'GET', pathOf(run));
        out.show(body, () => human(body));
      }),
    );

  const verbs = {
    pause: 'stop after the document at hand; resume goes on there',
    resume: 'go on after a pause',
    cancel: 'stop for good; what is changed stays changed',
  } as const;
  for (const [verb, description] of Object.entries(verbs))
    migration
      .command(`${verb} <run>`)
      .description(description)
      .requiredOption('-r, --reason <reason>', 'why; it is in the audit log')
      .action(
        acting(world, async ({ client, out }, run: string, { reason }: { reason: string }) => {
          const path = `${pathOf(run)}/${verb}`;
          const { body } = await client.call<Run>('migration-runner', 'POST', path, {
            body: { reason },
          });
          out.show(body, () => `${run} is ${toned(body.status)}.`);
        }),
      );

  migration
    .command('runs')
    .description('runs of all migrations')
    .action(
      acting(world, async ({ client, out }) => {
        const items = await client.all<Run>('migration-runner', '/v1/runs');
        out.show({ items }, () =>
          table(
            ['run', 'migration', 'action', 'status', 'changed'],
            items.map((run) => [
              run.run,
              run.migration,
              run.action,
              toned(run.status),
              run.counts.changed,
            ]),
            'Nothing has run yet.',
          ),
        );
      }),
    );
}

/** Waits for the end: a live line on a terminal; else, unless in JSON, a line whenever it is held up by something else. */
async function ended({ client, out, world }: Tools, started: Run): Promise<Run> {
  const live = !out.json && process.stdout.isTTY;
  const patiently = patience(world.signal);
  const path = pathOf(started.run);
  let run = started;
  let told = '';
  while (run.status === 'running' || run.status === 'paused') {
    const held = heldUp(run);
    const counted = `${toned(run.status)}  ${run.counts.changed} changed`;
    if (live) logUpdate(`${run.migration}  ${counted}${held === '' ? '' : `  ${held}`}`);
    else if (!out.json && held !== '' && held !== told) out.line(`${run.run} ${held}`);
    told = held;
    await wait(POLL_MS, undefined, { signal: world.signal });
    run = (await patiently(() => client.call<Run>('migration-runner', 'GET', path))).body;
  }
  if (live) logUpdate.clear();
  return run;
}

function heldUp({ status, waitsFor, by = '', reason = '' }: Run): string {
  if (waitsFor) return `waits: ${waitsFor.message}`;
  return status === 'paused' ? `is paused by ${by}: ${reason}` : '';
}

const human = (run: Run): string =>
  facts([
    ['run', run.run],
    ['migration', `${run.migration} (${run.action})`],
    ['status', toned(run.status)],
    ['', heldUp(run)],
    ...(run.action === 'execute' ? ([['changed', run.counts.changed]] as const) : []),
    ...Object.entries(run.report ?? {}).map(([name, value]) => [name, shown(value)] as const),
  ]);

/** A value of a report: text as it is, each item of a list on a line of its own. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value.length === 0 ? 'none' : value.map((each) => `\n  ${JSON.stringify(each)}`).join('');
}
