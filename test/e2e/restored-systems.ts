import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createTidegate, type Tidegate } from '@tidegate/sdk';
import { openServer, type Server } from '../servers/servers.ts';
import { sdkKey } from '../faults/world.ts';
import { askAt, type Asking, cli, openHouse, standalone } from './house.ts';
import { dumpDatabase, loadDatabase } from './mongo-dump.ts';
import { type Program, start, temporaryFolder } from './process.ts';
import { freePortBase } from './target.ts';

/** The five services, and their store as an operator backs it up and puts it back. */
export interface System extends Asking, AsyncDisposable {
  readonly name: string;
  readonly archive: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** kill -9 of everything: what was not sealed or published yet is left as it is. */
  crash(): Promise<void>;
  /** Only while everything is stopped. */
  backUp(): Promise<void>;
  putBack(): Promise<void>;
  /** Starts what must notice that the store is behind; what each said when it had ended with exit code 1. */
  refusals(): Promise<readonly string[]>;
  tidegate(...args: string[]): Promise<{ readonly code: number | null; readonly output: string }>;
  /** Ways in which applications hold their flags, to be closed by whoever opens them. */
  clients(): Promise<readonly Tidegate[]>;
}

export interface SystemOptions {
  /** Of every process. */
  readonly env: Readonly<Record<string, string>>;
}

const ADMIN_API_KEY = 'the-key-of-the-drill';

async function common({ env }: SystemOptions) {
  const parent = temporaryFolder();
  const keys = join(parent, 'keys');
  const key = await sdkKey(keys);
  const base = await freePortBase();
  const folder = join(parent, 'data');
  const shared = { ...env, API_KEYS_FILE: keys, ADMIN_API_KEY, DATA_DIR: folder };
  const run = async (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const command = start(cli, args, { DATA_DIR: folder, ...more });
    return { code: await command.ended(), output: command.output() };
  };
  return { parent, folder, base, env: shared, key, run };
}

const ended = async (program: Program): Promise<string> => {
  const code = await program.ended();
  if (code !== 1) throw new Error(`It ended with ${code}: ${program.output()}`);
  return program.output();
};

const sse = (port: number, key: string): Tidegate =>
  createTidegate({
    url: `http://127.0.0.1:${port}`,
    environment: 'production',
    key,
    longestRetryMs: 500,
    onError: () => undefined, // it is away now and then
  });

/** Standalone; the backup is a copy of the store's files, the bus stays. */
export async function embeddedSystem(options: SystemOptions): Promise<System> {
  const { parent, folder, base, env, key, run } = await common(options);
  const backup = join(parent, 'backup');
  const files = ['store.db', 'store.db-wal', 'store.db-shm'];
  const all = { ...env, PORT_BASE: String(base) };
  let program: Program | undefined;
  const copy = (from: string, to: string): void => {
    for (const file of files) {
      rmSync(join(to, file), { force: true });
      if (existsSync(join(from, file))) cpSync(join(from, file), join(to, file));
    }
  };
  return {
    name: 'embedded',
    archive: join(folder, 'audit', 'archive'),
    start: async () => {
      ({ program } = await openHouse(all));
    },
    stop: async () => {
      program?.signal('SIGTERM');
      await program?.ended();
    },
    crash: async () => program?.kill(),
    backUp: async () => {
      mkdirSync(backup);
      copy(folder, backup);
    },
    putBack: async () => copy(backup, folder),
    refusals: async () => [await ended(start(standalone, [], all))],
    tidegate: (...args) => run(args),
    clients: async () => [sse(base + 1, key)],
    ask: (method, service, path, asked) =>
      askAt(`http://127.0.0.1:${base + PORTS[service]!}${path}`, method, ADMIN_API_KEY, asked),
    [Symbol.asyncDispose]: async () => program?.kill(),
  };
}

const PORTS: Readonly<Record<string, number>> = {
  'audit-sink': 4,
  notifier: 5,
  'flag-service': 1,
  'migration-runner': 3,
  'metrics-gatekeeper': 2,
};

/** A process for each service, on Kafka and a server with MongoDB's protocol; the backup is a dump of the database. */
export async function distributedSystem(options: SystemOptions): Promise<System> {
  const { createKafkaTidegate } = await import('@tidegate/sdk/kafka');
  const { parent, folder, base, env, key, run } = await common(options);
  const servers: readonly Server[] = await Promise.all([
    openServer('kafka', { own: true }),
    openServer('mongodb', { own: true }),
  ]);
  const [kafka = '', STORE_URL = ''] = servers.map(({ url }) => url);
  const BUS_URL = `kafka://${kafka}?replication=1`;
  const backup = join(parent, 'backup.json');
  let programs: readonly Program[] = [];
  const begin = (service: string): Program => {
    const PORT = String(base + PORTS[service]!);
    return start(`apps/${service}/dist/main.js`, [], { ...env, BUS_URL, STORE_URL, PORT });
  };
  const crash = async (): Promise<void> => {
    await Promise.all(programs.map((program) => program.kill()));
  };
  return {
    name: 'kafka and mongodb',
    archive: join(folder, 'audit', 'archive'),
    start: async () => {
      programs = Object.keys(PORTS).map(begin);
      for (const program of programs) await program.printed('the service is ready', 60_000);
    },
    stop: async () => {
      for (const program of programs) program.signal('SIGTERM');
      await Promise.all(programs.map((program) => program.ended()));
    },
    crash,
    backUp: () => dumpDatabase(STORE_URL, backup),
    putBack: () => loadDatabase(STORE_URL, backup),
    refusals: () =>
      Promise.all(['flag-service', 'audit-sink'].map((service) => ended(begin(service)))),
    tidegate: (...args) => run(args, { STORE_URL }),
    clients: async () => [
      sse(base + PORTS['flag-service']!, key),
      await createKafkaTidegate({
        url: BUS_URL,
        environment: 'production',
        onError: () => undefined,
      }),
    ],
    ask: (method, service, path, asked) =>
      askAt(`http://127.0.0.1:${base + PORTS[service]!}${path}`, method, ADMIN_API_KEY, asked),
    [Symbol.asyncDispose]: async () => {
      await crash();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
