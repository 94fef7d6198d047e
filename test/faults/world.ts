import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@tidegate/kernel/testing';
import { cli, type House, makeFlags, openHouse, type Standalone } from '../e2e/house.ts';
import { start, temporaryFolder } from '../e2e/process.ts';
import { openReceiver, type Receiver } from '../e2e/receiver.ts';
import { freePortBase } from '../e2e/target.ts';
import { startLoad } from './load.ts';

export const FLAGS = '/v1/environments/production/flags';

/** Standalone, which can be killed and comes back at the same addresses, and what lives on meanwhile. */
export interface World extends AsyncDisposable {
  readonly folder: string;
  readonly receiver: Receiver;
  /** Of the example service, which uses `checkout-v2` and `express-pay` and is under load. */
  readonly example: { readonly url: string; readonly database: string };
  /** The present one. */
  house(): Standalone;
  /** kill -9, and a new start on the same folder. */
  killAndStart(): Promise<void>;
}

export async function openWorld(seedOrders: number): Promise<World> {
  await using opened = new AsyncDisposableStack();
  const parent = temporaryFolder();
  const folder = join(parent, 'data');
  const database = join(parent, 'checkout.db');
  const base = await freePortBase();
  const receiver = opened.use(await openReceiver());
  const key = await sdkKey(join(parent, 'keys'));
  const env = {
    ...receiver.environment,
    DATA_DIR: folder,
    PORT_BASE: String(base),
    API_KEYS_FILE: join(parent, 'keys'),
    MIGRATIONS_DIR: 'examples/checkout/migrations',
    MIGRATION_TARGETS: `checkout=sqlite:${database}`,
  };
  let house = await openHouse(env);
  opened.defer(() => house.program.kill());
  await makeFlags(house, 'checkout-v2', 'express-pay', 'banner', 'bystander');
  const example = await startExample(opened, house, key, { port: base + 10, database, seedOrders });
  opened.use(startLoad(example.url));
  const all = opened.move();
  return {
    folder,
    receiver,
    example,
    house: () => house,
    killAndStart: async () => {
      await house.program.kill();
      house = await openHouse(env);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function startExample(
  opened: AsyncDisposableStack,
  { urls }: House,
  key: string,
  { port, database, seedOrders }: { port: number; database: string; seedOrders: number },
): Promise<World['example']> {
  const example = start('examples/checkout/dist/main.js', [], {
    PORT: String(port),
    TIDEGATE_URL: urls['flag-service'] ?? '',
    TIDEGATE_KEY: key,
    DATABASE_FILE: database,
    SEED_ORDERS: String(seedOrders),
  });
  opened.use(example);
  await example.printed('checkout answers at');
  return { url: `http://127.0.0.1:${port}`, database };
}

/** A key that applications in production use; its line is the whole file. */
export async function sdkKey(file: string): Promise<string> {
  const args = ['key', 'new', 'checkout', '--role', 'sdk', '--env', 'production', '--json'];
  await using made = start(cli, args);
  if ((await made.ended()) !== 0) throw new Error(made.output());
  const { key, line } = JSON.parse(made.output()) as { key: string; line: string };
  writeFileSync(file, `${line}\n`);
  return key;
}

/** The service may be away just now: then it is asked again. */
export const patiently = <T>(ask: () => Promise<T>): Promise<NonNullable<T>> =>
  eventually(ask, 20_000);

/** Resolves once the example service holds the very flags that flag-service serves. */
export function exampleIsCurrent({ house, example }: World): Promise<boolean> {
  return eventually(async () => {
    const path = '/v1/environments/production/snapshot';
    const { body } = await house().ask<{ digest: string }>('GET', 'flag-service', path);
    const held = await fetch(`${example.url}/health`);
    const { flags } = (await held.json()) as { flags: { state: string; digest: string } };
    if (flags.digest !== body.digest || flags.state !== 'ready')
      throw new Error(`flag-service is at ${body.digest}, the example at ${JSON.stringify(flags)}`);
    return true;
  }, 15_000);
}
