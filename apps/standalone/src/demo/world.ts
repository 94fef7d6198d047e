import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { newApiKey } from '@tidegate/contracts';
import { AppError, isRejection } from '@tidegate/kernel';
import { type Environment, systemClock } from '@tidegate/platform';
import { openSqliteStore } from '@tidegate/store';
import { startStandalone } from '../house/standalone.ts';
import { type Api, createApi } from './api.http.ts';
import { type Child, startChild } from './child.process.ts';
import { type Example, startExample } from './example.process.ts';
import type { LoadOptions } from './load-main.ts';
import type { House, HouseOptions } from './house.ts';
import { startProcesses } from './house.process.ts';
import { type Receiver, startReceiver } from './receiver.http.ts';
import { ROOT } from './root.ts';
import { SCRAPE_INTERVAL } from './servers.process.ts';

export const ENVIRONMENT = 'production';
export const ORDERS = 2_000;
const REQUESTS_PER_SECOND = 400;

/** Everything that runs during the demo. */
export interface DemoWorld {
  readonly house: House;
  readonly api: Api;
  readonly example: Example;
  readonly receiver: Receiver;
  planText(name: string): string;
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly env: Environment;
  /** Separate processes on real servers, else all in this one. */
  readonly onKafka: boolean;
  readonly readText: (file: string) => string;
  readonly endProcess: (reason: string) => void;
}

/** Starts services, example, receiver and load. What was started is stopped again when something fails. */
export async function openWorld({
  env,
  onKafka,
  readText,
  endProcess,
}: WorldOptions): Promise<DemoWorld> {
  const folder = join(env['DATA_DIR'] ?? '.tidegate', 'demo');
  await emptyFolder(folder);
  const closers: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const receiver = await startReceiver();
    closers.push(() => receiver.stop());
    const keysFile = join(folder, 'keys');
    const database = join(folder, 'checkout.db');
    const sdkKey = writeSdkKey(keysFile);
    const options = {
      ...env,
      DATA_DIR: folder,
      API_KEYS_FILE: keysFile,
      NOTIFIER_WEBHOOK_URL: receiver.url,
      NOTIFIER_WEBHOOK_SECRET: receiver.secret,
      MIGRATIONS_DIR: join(ROOT, 'examples/checkout/migrations'),
      MIGRATION_TARGETS: `checkout=sqlite:${database}`,
    };
    const examplePort = await examplePortOf(env, onKafka);
    const house = await (onKafka ? startProcesses : startEmbedded)(options, {
      folder,
      examplePort,
      endProcess,
    });
    closers.push(() => house.stop());
    const api = createApi(house.urls, house.adminKey);
    await makeFlags(api);
    const exampleLog = join(folder, 'checkout.log');
    const example = await startExample(
      exampleOptions(examplePort, house, sdkKey, database),
      exampleLog,
    );
    closers.push(() => example.stop());
    for (const load of startLoad(example.url, join(folder, 'load.log')))
      closers.push(() => load.stop());
    const planText = (name: string): string =>
      readText(join(ROOT, `deploy/plans/${name}.yaml`)).replaceAll(
        'scrape: [http://127.0.0.1:7410/metrics]',
        sourceOf(house, example),
      );
    return { house, api, example, receiver, planText, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startEmbedded(
  env: Environment,
  { folder, endProcess }: HouseOptions,
): Promise<House> {
  const logFile = join(folder, 'tidegate.log');
  const standalone = await startStandalone({ ...env, LOG_FILE: logFile }, endProcess);
  const urls = Object.entries(standalone.urls).map(([name, url]) => [name, [url]] as const);
  return {
    ...standalone,
    urls: Object.fromEntries(urls),
    description: 'five services on one embedded bus and store',
  };
}

/** Where the plans read the example's metrics. */
const sourceOf = ({ prometheus }: House, example: Example): string =>
  prometheus === undefined
    ? `scrape: [${example.url}/metrics]`
    : `prometheus: { url: '${prometheus}', scrapeInterval: ${SCRAPE_INTERVAL} }`;

/** 0: any free one. A Prometheus has to know it before it is in use. */
async function examplePortOf(env: Environment, isKnownBefore: boolean): Promise<number> {
  const base = Number(env['PORT_BASE'] ?? 7_400);
  if (base !== 0) return base + 10;
  return isKnownBefore ? await freePort() : 0;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Both features, each by a process of its own. */
const startLoad = (url: string, logFile: string): readonly Child[] =>
  (['/checkout', '/payments'] as const).map((path) => {
    const options: LoadOptions = {
      url,
      path,
      requestsPerSecond: REQUESTS_PER_SECOND,
      orders: ORDERS,
    };
    return startChild('./load-main.js', options, logFile);
  });

/** Only what an earlier demo left is removed, and only when no demo runs on it. */
async function emptyFolder(folder: string): Promise<void> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    if (!existsSync(join(folder, 'format')))
      throw new AppError(
        'DEMO_FOLDER_FOREIGN',
        `${folder} holds something that no demo has made: choose another DATA_DIR.`,
      );
    await (await openSqliteStore({ file: join(folder, 'store.db'), clock: systemClock })).close();
    rmSync(folder, { recursive: true });
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'format'), '1\n');
}

function writeSdkKey(file: string): string {
  const made = newApiKey(
    { name: 'checkout', role: 'sdk', environments: [ENVIRONMENT] },
    randomBytes(32),
    (text) => createHash('sha256').update(text).digest('hex'),
  );
  if (isRejection(made)) throw new AppError('DEMO_REFUSED', made.message);
  writeFileSync(file, `${made.line}\n`, { mode: 0o600 });
  return made.key;
}

async function makeFlags(api: Api): Promise<void> {
  await api.put('flag-service', `/v1/environments/${ENVIRONMENT}`, {});
  for (const [key, description] of [
    ['checkout-v2', 'The new pricing of the checkout.'],
    ['express-pay', 'Payment in one step.'],
  ])
    await api.put('flag-service', `/v1/environments/${ENVIRONMENT}/flags/${key}`, {
      type: 'boolean',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      offVariant: 'off',
      exposure: { variant: 'on', percentage: 0 },
      description,
      owner: 'checkout team',
    });
}

const exampleOptions = (port: number, { urls }: House, key: string, databaseFile: string) => ({
  port,
  host: '127.0.0.1',
  tidegate: {
    // Of the last replica: what others of it decide reaches the application as well.
    url: urls['flag-service']?.at(-1) ?? '',
    key,
    environment: ENVIRONMENT,
    application: 'checkout',
  },
  waitForFlagsMs: 3_000,
  flags: { checkout: 'checkout-v2', payment: 'express-pay' },
  databaseFile,
  seedOrders: ORDERS,
  newPathErrorRate: 0,
});
