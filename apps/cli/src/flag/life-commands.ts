import { AppError, formatDuration, messageOf } from '@tidegate/kernel';
import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { facts, table, time } from '../output/output.ts';
import {
  envOption,
  humanFlag,
  ifVersion,
  pathOf,
  type Place,
  short,
  type ShownFlag,
  versionOption,
} from './shown-flag.ts';

interface ScheduleOptions extends Place {
  readonly enable: readonly string[];
  readonly disable: readonly string[];
  readonly clear?: boolean;
  readonly reason?: string;
  readonly ifVersion?: string;
}

interface Explained {
  readonly value?: unknown;
  readonly variant?: string;
  readonly reason?: string;
  readonly errorCode?: string;
  readonly errorDetails?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

interface Applied {
  readonly version: number;
  readonly live: number;
  readonly heard: number;
  readonly slowestMs: number | null;
  readonly instances: readonly {
    readonly application: string;
    readonly instance: string;
    readonly version: number | null;
    readonly ageMs: number;
  }[];
}

/** What becomes of flags over time, and what one of them answers. */
export function registerFlagLife(flag: Command, world: World): void {
  registerSchedule(flag, world);

  flag
    .command('applied <key>')
    .description('on how many running instances the present version is in force')
    .addOption(envOption())
    .action(
      acting(world, async ({ client, out }, key: string, place: Place) => {
        const path = `${pathOf(place, 'flags', key)}/applied`;
        const { body } = await client.call<Applied>('flag-service', 'GET', path);
        out.show(body, () => applied(key, body));
      }),
    );

  flag
    .command('stale')
    .description('flags that may not be needed any more, why and since when')
    .addOption(envOption())
    .action(
      acting(world, async ({ client, out }, place: Place) => {
        const path = `${pathOf(place, 'flags')}?stale=true`;
        const items = await client.all<ShownFlag>('flag-service', path);
        out.show({ items }, () =>
          table(
            ['flag', 'why', 'since', 'owner'],
            items.flatMap(({ key, stale = [], flag: { definition } }) =>
              stale.map(({ reason, since }) => [key, reason, time(since), definition.owner ?? '']),
            ),
            `Every flag in ${place.env} seems to be needed.`,
          ),
        );
      }),
    );

  flag
    .command('explain <key>')
    .description('what a flag answers to a user, and why')
    .addOption(envOption())
    .option('-c, --context <json>', 'the evaluation context', '{}')
    .action(
      acting(world, async ({ client, out }, key: string, options: Place & { context: string }) => {
        const path = `/environments/${encodeURIComponent(options.env)}/ofrep/v1/evaluate/flags/${encodeURIComponent(key)}`;
        const body = { context: contextOf(options.context) };
        const { body: answer } = await client.call<Explained>('flag-service', 'POST', path, {
          body,
        });
        out.show(answer, () => explained(key, answer));
      }),
    );
}

function registerSchedule(flag: Command, world: World): void {
  const collect = (value: string, before: readonly string[]) => [...before, value];
  flag
    .command('schedule <key>')
    .description('say when a flag is enabled or disabled by itself; replaces what was scheduled')
    .addOption(envOption())
    .option('--enable <time>', 'e.g. 2026-12-01T08:00:00Z; may be given again', collect, [])
    .option('--disable <time>', 'the same', collect, [])
    .option('--clear', 'take everything back that was scheduled')
    .option('-r, --reason <reason>', 'why; it is in the audit log')
    .addOption(versionOption())
    .action(
      acting(world, async ({ client, out }, key: string, options: ScheduleOptions) => {
        const { enable, disable, clear = false, reason } = options;
        const body = [
          ...enable.map((at) => ({ at, change: 'enable', reason })),
          ...disable.map((at) => ({ at, change: 'disable', reason })),
        ];
        if ((body.length === 0) !== clear)
          throw new AppError('CLI_USAGE', 'Say when: --enable or --disable <time>; or --clear.');
        if (!clear && reason === undefined)
          throw new AppError('CLI_USAGE', 'Say why: --reason <reason>.');
        const path = `${pathOf(options, 'flags', key)}/schedule`;
        const answer = await client.call<ShownFlag>('flag-service', 'PUT', path, {
          body,
          headers: ifVersion(options.ifVersion),
        });
        out.show(answer.body, () => humanFlag(answer.body));
      }),
    );
}

/** Thrown CLI_USAGE. */
function contextOf(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch (error) {
    throw new AppError('CLI_USAGE', `--context is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

const explained = (key: string, { metadata = {}, ...answer }: Explained): string =>
  facts([
    ['flag', key],
    ['value', answer.value === undefined ? undefined : short(answer.value)],
    ['variant', answer.variant],
    ['reason', answer.reason],
    ['error', answer.errorCode],
    ['details', answer.errorDetails],
    ...Object.entries(metadata).map(([name, value]) => [name, short(value)] as const),
  ]);

/** In one line where all have it; else who has not. */
function applied(key: string, { version, live, heard, slowestMs, instances }: Applied): string {
  const slowest = slowestMs === null ? '' : `, slowest ${formatDuration(slowestMs)}`;
  const head = `Version ${version} of ${key} is in force on ${live} of ${heard} instances${slowest}.`;
  const late = instances.filter((each) => each.version === null || each.version < version);
  if (late.length === 0) return head;
  const rows = late.map(({ application, instance, version: has, ageMs }) => [
    application,
    instance,
    has ?? 'says nothing of it',
    `${formatDuration(ageMs)} ago`,
  ]);
  return `${head}\n${table(['application', 'instance', 'version', 'heard'], rows, '')}`;
}
