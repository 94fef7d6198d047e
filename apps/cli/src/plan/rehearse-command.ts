import { existsSync } from 'node:fs';
import { AppError, formatDuration, isRejection, parseDuration } from '@tidegate/kernel';
import { type Command, InvalidArgumentError } from 'commander';
import { acting, readText, type Tools, wholeNumber, type World } from '../command.ts';
import { rehearsalReport, type RehearsalShown } from './rehearsal.ts';

interface Options {
  readonly env: string;
  readonly planVersion?: number;
  readonly prometheus?: string | true;
  readonly last?: number;
  readonly from?: string;
  readonly until?: string;
  readonly openmetrics?: string;
  readonly series?: string;
  readonly interval?: string;
  readonly inject: readonly string[];
  readonly mutate?: boolean;
  readonly expect?: string;
}

/** A rehearsal of a long time, with many injections, is work. */
const PATIENCE_MS = 600_000;
const OUTCOMES = ['completed', 'rolled-back', 'unfinished'];

export function registerRehearse(plan: Command, world: World): void {
  plan
    .command('rehearse <plan>')
    .description('play a plan, stored or in a file, on recorded data: what would have happened')
    .option('-e, --env <environment>', 'environment', 'production')
    .option('--plan-version <n>', 'a version of the plan', wholeNumber)
    .option('--prometheus [url]', 'data of a Prometheus, of the configured one without a url')
    .option('--last <duration>', 'its newest data, such as 24h', duration)
    .option('--from <instant>', 'begin there, such as 2026-01-31T12:00Z')
    .option('--until <instant>', 'end there')
    .option('--openmetrics <file>', 'data of a file in the OpenMetrics format, with timestamps')
    .option('--series <file>', "data in promtool's notation")
    .option('--interval <duration>', 'between two values of --series, if it does not say')
    .option(
      '-i, --inject <regression>',
      'errors×2@canary, +100ms@10m, …; may be repeated',
      more,
      [],
    )
    .option('--mutate', 'all standard regressions; exits with 1 if a guard sees none of them')
    .option('--expect <outcome>', `exit with 1 unless it ends so: ${OUTCOMES.join(', ')}`, outcome)
    .action(acting(world, rehearse));
}

function more(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function outcome(value: string): string {
  if (OUTCOMES.includes(value)) return value;
  throw new InvalidArgumentError(`Expected ${OUTCOMES.join(', ')}.`);
}

function duration(value: string): number {
  const ms = parseDuration(value);
  if (!isRejection(ms) && ms > 0) return ms;
  throw new InvalidArgumentError('Expected a duration such as 24h.');
}

async function rehearse({ client, out }: Tools, plan: string, options: Options): Promise<void> {
  const { env: environment, inject, mutate = false, expect } = options;
  const asked = await planAsked(plan, options.planVersion);
  const { data, ...span } = await dataOf(options);
  const { body } = await client.call<RehearsalShown>(
    'metrics-gatekeeper',
    'POST',
    `/v1/plans/${encodeURIComponent(asked.name)}/rehearse`,
    { body: { ...asked.body, environment, data, ...span, inject, mutate }, timeoutMs: PATIENCE_MS },
  );
  out.show(body, () => rehearsalReport(body));
  const silent = body.mutation?.silent ?? [];
  if (silent.length > 0)
    throw new AppError(
      'CLI_GUARD_SILENT',
      `${silent.map(({ guard }) => guard).join(', ')}: no regression makes ${silent.length === 1 ? 'this guard' : 'these guards'} fire.`,
    );
  if (expect !== undefined && body.ended.outcome !== expect)
    throw new AppError(
      'CLI_REFUSED',
      `The rehearsal is ${body.ended.outcome} after ${formatDuration(body.ended.afterMs)}, expected ${expect}.`,
    );
}

/** A file that is there is a plan to be tried; anything else is the name of one that is stored. */
export async function planAsked(
  plan: string,
  version: number | undefined,
): Promise<{ readonly name: string; readonly body: { text?: string; version?: number } }> {
  if (plan !== '-' && !existsSync(plan))
    return { name: plan, body: version === undefined ? {} : { version } };
  const text = await readText(plan);
  const name = /^\s*"?plan"?\s*:\s*["']?([\w.-]+)/m.exec(text)?.[1];
  if (name === undefined) throw new AppError('PLAN_INVALID', `${plan} has no line "plan: <name>".`);
  return { name, body: { text } };
}

/** Which data, and which part of them. */
async function dataOf(options: Options) {
  const { prometheus, openmetrics, series, interval, last } = options;
  const from = instant('--from', options.from);
  const until = instant('--until', options.until);
  const given = [prometheus, openmetrics, series].filter((each) => each !== undefined);
  if (given.length !== 1)
    throw new AppError(
      'CLI_USAGE',
      'Say which data: one of --prometheus, --openmetrics and --series.',
    );
  const span = {
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
  };
  if (openmetrics !== undefined)
    return { data: { openMetrics: await readText(openmetrics) }, ...span };
  if (series !== undefined)
    return {
      data: { series: await readText(series), ...(interval === undefined ? {} : { interval }) },
      ...span,
    };
  const end = until ?? Date.now();
  const begin = from ?? (last === undefined ? undefined : end - last);
  if (begin === undefined)
    throw new AppError('CLI_USAGE', 'Say from when: --last 24h, or --from 2026-01-31T12:00Z.');
  const url = typeof prometheus === 'string' ? { url: prometheus } : {};
  return { data: { prometheus: { ...url, from: begin, until: end } } };
}

function instant(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isFinite(at)) return at;
  throw new AppError(
    'CLI_USAGE',
    `${option} is "${text}"; expected an instant such as 2026-01-31T12:00Z.`,
  );
}
