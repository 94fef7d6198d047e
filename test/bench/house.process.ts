import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newApiKey } from '@tidegate/contracts';
import { isRejection } from '@tidegate/kernel';
import { openServer, type Server } from '../servers/servers.ts';
import type { Bench } from './main.ts';

export const ENVIRONMENT = 'production';

/** The services of a bench in processes of their own, on free ports, and the way to ask them. */
export interface House {
  /** By the service's name, of each replica. */
  readonly urls: Readonly<Record<string, readonly string[]>>;
  readonly processes: readonly ChildProcess[];
  /** Those of them in which flag-service runs. */
  readonly flagServices: readonly ChildProcess[];
  readonly readyMs: number;
  readonly sdkKey: string;
  /** Of the real servers that they work on, if any. */
  readonly servers?: { readonly kafka: string; readonly mongodb: string };
  /** Asks the service's first replica. Thrown for any answer but a success. */
  ask(
    method: 'GET' | 'PUT' | 'POST',
    service: string,
    path: string,
    body?: unknown,
  ): Promise<Answer>;
  stop(): Promise<void>;
}

/** Of a change, its id, or that of a run. */
interface Answer {
  readonly id: string;
  readonly run: string;
}

interface Started {
  readonly child: ChildProcess;
  /** All that it printed until it was ready. */
  readonly output: string;
}

/** NODE_ARGUMENTS: for profiles, such as --cpu-prof. */
function start(app: string, env: NodeJS.ProcessEnv, readyWhen: string): Promise<Started> {
  const main = join(import.meta.dirname, `../../apps/${app}/dist/main.js`);
  const args = [...(process.env['NODE_ARGUMENTS']?.split(' ') ?? []), main];
  return launch(args, env, readyWhen);
}

async function launch(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  readyWhen: string,
): Promise<Started> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  let output = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += String(chunk);
    if (output.includes(readyWhen)) break;
  }
  if (child.exitCode !== null) throw new Error(`It did not start:\n${output}`);
  child.stdout.resume();
  return { child, output };
}

/** A script beside this one that says `listening on <url>`. */
export async function openScript(file: string, args: readonly string[] = []) {
  const script = join(import.meta.dirname, file);
  const { child, output } = await launch([script, ...args], {}, 'listening on ');
  const [, url = ''] = /listening on (\S+)/.exec(output) ?? [];
  return { child, url, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  await ended;
}

/** What every process gets: counted limits, but one key makes more changes here than anybody. */
async function commonOf(folder: string) {
  await mkdir(folder, { recursive: true });
  const made = newApiKey(
    { name: 'bench', role: 'sdk', environments: [ENVIRONMENT] },
    randomBytes(32),
    (text) => createHash('sha256').update(text).digest('hex'),
  );
  if (isRejection(made)) throw new Error(made.message);
  const keysFile = join(folder, 'keys');
  await writeFile(keysFile, made.line);
  const adminKey = randomBytes(16).toString('hex');
  return {
    sdkKey: made.key,
    adminKey,
    env: {
      DATA_DIR: join(folder, 'data'),
      ADMIN_API_KEY: adminKey,
      API_KEYS_FILE: keysFile,
      RATE_LIMIT_PER_MINUTE: '10000000',
      RATE_LIMIT_EVALUATIONS_PER_MINUTE: '1000000000',
    },
  };
}

const asking =
  (urls: House['urls'], key: string): House['ask'] =>
  async (method, service, path, body) => {
    const isText = typeof body === 'string';
    const request: RequestInit = {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': isText ? 'application/yaml' : 'application/json',
      },
      ...(method === 'GET' ? {} : { body: isText ? body : JSON.stringify(body ?? {}) }),
    };
    const response = await fetch(`${urls[service]?.[0]}${path}`, request);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  };

/** Standalone: all five in one process, on the embedded drivers. */
export async function openStandalone(folder: string): Promise<House> {
  const { env, sdkKey, adminKey } = await commonOf(folder);
  const begun = performance.now();
  const { child, output } = await start(
    'standalone',
    { ...env, PORT_BASE: '0' },
    'Ctrl-C stops it.',
  );
  const readyMs = performance.now() - begun;
  const urls = Object.fromEntries(
    [...output.matchAll(/^\s+([a-z-]+)\s+(http:\S+)\/docs$/gm)].map(([, name, url]) => [
      name ?? '',
      [url ?? ''],
    ]),
  );
  const ask = asking(urls, adminKey);
  const processes = [child];
  const flagServices = processes;
  return { urls, processes, flagServices, readyMs, sdkKey, ask, stop: () => stop(child) };
}

/** flag-service alone, on the embedded drivers. */
export const openFlagService = (folder: string, more: NodeJS.ProcessEnv = {}): Promise<House> =>
  openService('flag-service', folder, more);

/** One service alone, on the embedded drivers. */
export async function openService(
  name: string,
  folder: string,
  more: NodeJS.ProcessEnv = {},
): Promise<House> {
  const { env, sdkKey, adminKey } = await commonOf(folder);
  const begun = performance.now();
  const { child, url } = await startService(name, { ...env, ...more });
  const readyMs = performance.now() - begun;
  const urls = { [name]: [url] };
  const ask = asking(urls, adminKey);
  const processes = [child];
  const flagServices = name === 'flag-service' ? processes : [];
  return { urls, processes, flagServices, readyMs, sdkKey, ask, stop: () => stop(child) };
}

async function startService(name: string, env: NodeJS.ProcessEnv) {
  const { child, output } = await start(name, { ...env, PORT: '0' }, 'the service is ready');
  const [, url = ''] = /"url":"(http:[^"]+)"/.exec(output) ?? [];
  return { child, url };
}

/** One after the other: each service, as often as a small installation has it. */
const REPLICAS = [
  ['audit-sink', 1],
  ['notifier', 1],
  ['flag-service', 2],
  ['migration-runner', 1],
  ['metrics-gatekeeper', 2],
] as const;
const SERVERS = ['kafka', 'mongodb', 'redis'] as const;

export const busUrlOf = (broker: string): string => `kafka://${broker}?replication=1`;

/** Each service in processes of its own, on real servers. */
export async function openOnServers(folder: string): Promise<House> {
  const servers: Server[] = [];
  const processes: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(processes.map(stop));
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    for (const name of SERVERS) servers.push(await openServer(name, { own: true }));
    const [kafka = '', mongodb = '', redis = ''] = servers.map(({ url }) => url);
    const { env, sdkKey, adminKey } = await commonOf(folder);
    const drivers = { BUS_URL: busUrlOf(kafka), STORE_URL: mongodb, REDIS_URL: redis };
    const begun = performance.now();
    const urls: Record<string, string[]> = {};
    const flagServices: ChildProcess[] = [];
    for (const [name, replicas] of REPLICAS)
      for (let count = 0; count < replicas; count += 1) {
        const { child, url } = await startService(name, { ...env, ...drivers });
        processes.push(child);
        if (name === 'flag-service') flagServices.push(child);
        (urls[name] ??= []).push(url);
      }
    const readyMs = performance.now() - begun;
    const ask = asking(urls, adminKey);
    const at = { kafka, mongodb };
    return { urls, processes, flagServices, readyMs, sdkKey, servers: at, ask, stop: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Resident. */
export const megabytes = ({ pid }: ChildProcess): number => {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 102.4) / 10;
};

type Run = (folder: string, ...given: Parameters<Bench>) => Promise<void>;

/** One driver after another in a folder of their own; DRIVERS: one of them alone. */
export const onDrivers =
  (drivers: Readonly<Record<string, Run>>): Bench =>
  async (report) => {
    const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
    const only = process.env['DRIVERS'];
    try {
      for (const [name, run] of Object.entries(drivers))
        if (only === undefined || only === name) await run(folder, report);
    } finally {
      await rm(folder, { recursive: true });
    }
  };
