import { AppError } from '@tidegate/kernel';
import type { Command } from 'commander';
import { acting, type Tools, type World } from '../command.ts';
import { table, toned } from '../output/output.ts';
import {
  envOption,
  humanFlag,
  NOT_PUBLISHED,
  pathOf,
  type Reasoned,
  reasonOption,
  type ShownFlag,
} from './shown-flag.ts';

interface DisabledFlag {
  readonly key: string;
  readonly outcome: 'changed' | 'unchanged' | 'refused' | 'failed';
  readonly published?: boolean;
  readonly message?: string;
}

interface Options extends Reasoned {
  readonly tag?: string;
}

export function registerKill(flag: Command, world: World): void {
  flag
    .command('disable [keys...]')
    .description('turn flags off for everyone, now: by name, or all with a tag')
    .addOption(envOption())
    .addOption(reasonOption())
    .option('-t, --tag <tag>', 'every flag with this tag')
    .action(
      acting(world, async (tools, keys: string[], options: Options) => {
        if ((keys.length === 0) === (options.tag === undefined))
          throw new AppError('CLI_USAGE', 'Say which flags: their keys, or --tag <tag>.');
        const [only, ...more] = keys;
        if (only !== undefined && more.length === 0) await disableOne(tools, only, options);
        else await disableMany(tools, keys, options);
      }),
    );
}

async function disableOne({ client, out }: Tools, key: string, options: Options): Promise<void> {
  const path = `${pathOf(options, 'flags', key)}/disable`;
  const { body } = await client.call<ShownFlag>('flag-service', 'POST', path, {
    body: { reason: options.reason },
  });
  out.show(body, () => humanFlag(body));
}

/** Exits with 1 if one of them is not off now. */
async function disableMany(
  { client, out }: Tools,
  keys: readonly string[],
  options: Options,
): Promise<void> {
  const { reason, tag } = options;
  const which = tag === undefined ? { keys } : { tag };
  const path = `${pathOf(options, 'flags')}/disable`;
  const { body } = await client.call<{ items: readonly DisabledFlag[] }>(
    'flag-service',
    'POST',
    path,
    { body: { ...which, reason } },
  );
  out.show(body, () =>
    table(
      ['flag', '', 'why'],
      body.items.map(({ key, outcome, published, message }) => [
        key,
        toned(words[outcome]),
        message ?? (published === false ? NOT_PUBLISHED : ''),
      ]),
      '',
    ),
  );
  const left = body.items.filter(({ outcome }) => outcome === 'refused' || outcome === 'failed');
  if (left.length > 0)
    throw new AppError(
      'CLI_REFUSED',
      `Not disabled: ${left.map(({ key }) => key).join(', ')}. All others are off.`,
    );
}

const words = {
  changed: 'disabled',
  unchanged: 'was off already',
  refused: 'refused',
  failed: 'failed',
} as const;
