/**
 * Real servers for tests, demo and bench, found in this order: an address in the environment; Docker Compose, where
 * an engine answers; a program of this machine. What was started here ends with the process.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerName, serverNames, startNative, type Wanted } from './native.ts';
import { findProgram, MissingServer, needProgram, run } from './tools.ts';

export type { ServerName } from './native.ts';

export interface Server {
  readonly name: ServerName;
  readonly url: string;
  readonly how: 'environment' | 'compose' | 'native';
  stop(): Promise<void>;
  /** As if its machine had died; only where it runs natively. */
  kill(): Promise<void>;
  /** Again, on the same port and data. */
  restart(): Promise<void>;
  /** It hangs until `resume`. */
  freeze(): void;
  resume(): void;
}

const addresses: Readonly<Record<ServerName, string>> = {
  kafka: 'KAFKA_BROKERS',
  mongodb: 'MONGODB_URL',
  redis: 'REDIS_URL',
  postgres: 'POSTGRES_URL',
  prometheus: 'PROMETHEUS_URL',
  alertmanager: 'ALERTMANAGER_URL',
};

const composed: Readonly<Record<ServerName, { port: number; url: (address: string) => string }>> = {
  kafka: { port: 9092, url: (address) => address },
  mongodb: { port: 27017, url: (address) => `mongodb://${address}/tidegate` },
  redis: { port: 6379, url: (address) => `redis://${address}` },
  postgres: { port: 5432, url: (address) => `postgres://tidegate:tidegate@${address}/tidegate` },
  prometheus: { port: 9090, url: (address) => `http://${address}` },
  alertmanager: { port: 9093, url: (address) => `http://${address}` },
};

/**
 * @param wanted settings of a server of one's own: then one is started natively, whatever the environment offers.
 * Thrown MissingServer when there is none to be had.
 */
export async function openServer(
  name: ServerName,
  wanted: Partial<Wanted> & { readonly own?: boolean } = {},
): Promise<Server> {
  const { own = false, ...rest } = wanted;
  if (!own) {
    const given = process.env[addresses[name]];
    if (given !== undefined && given !== '') return lent(name, given, 'environment');
    const url = fromCompose(name);
    if (url !== undefined) return lent(name, url, 'compose');
  }
  const folder = rest.folder ?? mkdtempSync(join(tmpdir(), `tidegate-${name}-`));
  const { url, server } = await startNative(name, { ...rest, folder });
  return {
    name,
    url,
    how: 'native',
    stop: async () => {
      await server.stop();
      if (rest.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
    kill: () => server.stop('SIGKILL'),
    restart: async () => {
      await server.stop();
      await server.start();
    },
    freeze: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
  };
}

/** Somebody else's: it is used, and left as it is. */
function lent(name: ServerName, url: string, how: 'environment' | 'compose'): Server {
  const notOurs = (): never => {
    throw new Error(`${name} at ${url} is not ours to stop: ask for one of your own.`);
  };
  return {
    name,
    url,
    how,
    stop: async () => undefined,
    kill: async () => notOurs(),
    restart: async () => notOurs(),
    freeze: notOurs,
    resume: notOurs,
  };
}

let engine: boolean | undefined;

/** UNVERIFIED: written without a container engine at hand. */
function fromCompose(name: ServerName): string | undefined {
  const docker = findProgram('docker');
  engine ??= docker !== undefined && works(docker, ['version', '--format', '{{.Server.Version}}']);
  if (!engine || docker === undefined) return undefined;
  const compose = [
    'compose',
    '-f',
    join(import.meta.dirname, 'compose.yml'),
    '-p',
    'tidegate-tests',
  ];
  run(docker, [...compose, 'up', '-d', '--wait', name]);
  const { port, url } = composed[name];
  return url(run(docker, [...compose, 'port', name, String(port)]).trim());
}

function works(program: string, args: readonly string[]): boolean {
  try {
    return run(program, args) !== '';
  } catch {
    return false; // no engine answers: that is the answer
  }
}

/** A missing server is a failure in CI and with REQUIRE_SERVERS=1; elsewhere a reason to skip, which is said. */
export const mustHaveServers = (): boolean =>
  ['CI', 'REQUIRE_SERVERS'].some(
    (name) => !['', '0', 'false', undefined].includes(process.env[name]),
  );

/** The server, or undefined after saying on standard error why its suites are skipped. */
export async function openServerIfAny(
  name: ServerName,
  wanted: Parameters<typeof openServer>[1] = {},
): Promise<Server | undefined> {
  try {
    return await openServer(name, wanted);
  } catch (error) {
    return skipped(name, error);
  }
}

/** A program that a spec cannot do without, or undefined after saying so: the same rule as for servers. */
export function programIfAny(name: string, how: string): string | undefined {
  try {
    return needProgram(name, how);
  } catch (error) {
    return skipped(name, error);
  }
}

function skipped(name: string, error: unknown): undefined {
  if (!(error instanceof MissingServer) || mustHaveServers()) throw error;
  process.stderr.write(`SKIPPED what needs ${name}: ${error.message}\n`);
  return undefined;
}

export const everyServer: readonly ServerName[] = serverNames;
