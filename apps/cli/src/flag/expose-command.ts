import { type Command, InvalidArgumentError } from 'commander';
import { acting, type World } from '../command.ts';
import {
  envOption,
  humanFlag,
  ifVersion,
  pathOf,
  type Reasoned,
  reasonOption,
  type ShownFlag,
} from './shown-flag.ts';

/** Changes nothing but the percentage, of the flag as it is now: 412 if somebody changes it meanwhile. */
export function registerExpose(flag: Command, world: World): void {
  flag
    .command('expose')
    .description('serve the exposed variant to so many per cent, by hand')
    .argument('<key>')
    .argument('<percentage>', '0 to 100, in steps of 0.001', percent)
    .addOption(envOption())
    .addOption(reasonOption())
    .action(
      acting(world, async ({ client, out }, key: string, percentage: number, options: Reasoned) => {
        const path = pathOf(options, 'flags', key);
        const { body: now } = await client.call<ShownFlag>('flag-service', 'GET', path);
        const { definition } = now.flag;
        const exposure = { ...definition.exposure, percentage };
        const { body } = await client.call<ShownFlag>('flag-service', 'PUT', path, {
          body: { ...definition, exposure, reason: options.reason },
          headers: ifVersion(`${now.epoch}.${now.version}`),
        });
        out.show(body, () => humanFlag(body));
      }),
    );
}

/** `10`, `0.5` or `10%`; flag-service judges the range. */
function percent(text: string): number {
  if (!/^\d+(\.\d+)?%?$/.test(text)) throw new InvalidArgumentError('Expected e.g. 10 or 0.5.');
  return Number.parseFloat(text);
}
