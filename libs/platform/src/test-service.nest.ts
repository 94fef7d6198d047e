import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach } from '@jest/globals';
import { type MemoryBus, memoryBus } from '@tidegate/bus/testing';
import { decode, EVERY_ENVIRONMENT, type Message, type Role, roles } from '@tidegate/contracts';
import { type Clock, type Ids, isRejection } from '@tidegate/kernel';
import type { Faults, Store } from '@tidegate/store';
import { memoryStore } from '@tidegate/store/testing';
import { type Logger, pino } from 'pino';
import type { z } from 'zod';
import { startService, type StartOptions } from './lifecycle/start-service.nest.ts';
import { logSettings } from './log/log.file.ts';
import type { RunningService, ServiceContext, ServiceDefinition } from './service.ts';
import { randomIds, systemClock } from './system-clock.ts';
import { TestClient } from './test-client.http.ts';

export interface TestServiceOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** In memory, new ones, if not given. Give them again to restart a service on what it had. */
  readonly bus?: MemoryBus;
  readonly store?: Store;
  readonly faults?: Faults;
  /** Beside every environment, keys exist for these. Default `test` and `production`. */
  readonly environments?: readonly string[];
  /** `sqlite`: bus and store as files in a folder of their own, as in production. */
  readonly drivers?: 'memory' | 'sqlite';
  readonly start?: Pick<StartOptions, 'host' | 'port' | 'endProcess'>;
}

/** A running service and a client with its admin key. It stops with the test that started it, else with its file. */
export interface TestService extends TestClient, AsyncDisposable {
  readonly context: ServiceContext;
  readonly url: string;
  /** A new one for each service, removed with it; the file `keys` in it holds the keys. */
  readonly folder: string;
  /** A client with a key of this role, for every environment or for the one that is named. */
  as(role: Role, environment?: string): TestClient;
  /** A client without a key. */
  anonymous(): TestClient;
  keyOf(role: Role, environment?: string): string;
  /** What stands on a topic, oldest first in each partition; only with drivers in memory. */
  published(topic: string): readonly Message[];
  /** Resolves once the consumers have nothing to do; only with drivers in memory. */
  idle(): Promise<void>;
  /** Lines of its log, as objects. */
  readonly log: readonly Record<string, unknown>[];
  stop(): Promise<void>;
}

/** What runs until the end of the test that started it, and until the end of the file. */
const ofTest = new Set<TestService>();
const ofFile = new Set<TestService>();
let inTest = false;
const stopAll = async (services: Set<TestService>): Promise<void> => {
  await Promise.all([...services].map((service) => service.stop()));
};
beforeEach(() => {
  inTest = true;
});
afterEach(async () => {
  inTest = false;
  await stopAll(ofTest);
});
afterAll(() => stopAll(ofFile));

/** Starts a service for a spec on a free port, on drivers in memory, with keys for all roles. */
export async function startTestService<C extends z.ZodType>(
  definition: ServiceDefinition<C>,
  options: TestServiceOptions = {},
): Promise<TestService> {
  const { environments = ['test', 'production'], drivers = 'memory' } = options;
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-'));
  await writeFile(join(folder, 'keys'), keyLines(environments));
  const env = {
    ADMIN_API_KEY: keyOf('admin'),
    API_KEYS_FILE: join(folder, 'keys'),
    DATA_DIR: folder,
    SHUTDOWN_LINGER_MS: '0',
    ...options.env,
  };
  const log: Record<string, unknown>[] = [];
  const { shared, bus, close } = sharedOf(options, drivers, logInto(log));
  const { definition: watched, context } = withContext(definition);
  const service = await startService(watched, { port: 0, ...options.start, env, shared }).catch(
    async (error: unknown) => {
      await close();
      await rm(folder, { recursive: true });
      throw error;
    },
  );
  const made = testService(service, { context: context(), folder, log }, bus, async () => {
    await service.stop();
    await close();
    await rm(folder, { recursive: true, force: true });
  });
  (inTest ? ofTest : ofFile).add(made);
  return made;
}

function testService(
  { url }: RunningService,
  given: Pick<TestService, 'context' | 'folder' | 'log'>,
  bus: MemoryBus | undefined,
  close: () => Promise<void>,
): TestService {
  const memory = (): MemoryBus => {
    if (bus) return bus;
    throw new Error('Only with drivers in memory.');
  };
  let stopped: Promise<void> | undefined;
  const service: TestService = Object.assign(new TestClient(url, keyOf('admin')), {
    ...given,
    keyOf,
    as: (role: Role, environment?: string) => new TestClient(url, keyOf(role, environment)),
    anonymous: () => new TestClient(url),
    published: (topic: string) =>
      memory()
        .records(topic)
        .map(({ record }) => decode(record))
        .map((decoded) => {
          if (isRejection(decoded)) throw new Error(decoded.message);
          return decoded.message;
        }),
    idle: () => memory().idle(),
    stop: () => {
      ofTest.delete(service);
      ofFile.delete(service);
      return (stopped ??= close());
    },
    [Symbol.asyncDispose]: () => service.stop(),
  });
  return service;
}

function sharedOf(options: TestServiceOptions, drivers: 'memory' | 'sqlite', log: Logger) {
  const { clock = systemClock, ids = randomIds, faults } = options;
  const ambient = { clock, ids, log, ...(faults ? { faults } : {}) };
  if (drivers === 'sqlite')
    return { shared: ambient, bus: undefined, close: async () => undefined };
  const bus = options.bus ?? memoryBus({ clock, ids });
  const store = options.store ?? memoryStore({ clock });
  const close = async (): Promise<void> => {
    if (!options.bus) await bus.close();
  };
  return { shared: { ...ambient, bus, store }, bus, close };
}

/** The definition, and its context once it has made its module. */
function withContext<C extends z.ZodType>(definition: ServiceDefinition<C>) {
  let seen: ServiceContext | undefined;
  return {
    definition: {
      ...definition,
      module: (context: ServiceContext, config: z.output<C>) => {
        seen = context;
        return definition.module(context, config);
      },
    },
    context: (): ServiceContext => {
      if (!seen) throw new Error('The service has not made its module.');
      return seen;
    },
  };
}

const logInto = (lines: Record<string, unknown>[]): Logger =>
  pino(logSettings({ level: 'debug' }), {
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });

const keyOf = (role: Role, environment = EVERY_ENVIRONMENT): string =>
  `tg_${role}_key-for-tests-in-${environment === EVERY_ENVIRONMENT ? 'all' : environment}`;

/** Every role in every environment, and in each; `admin` in all of them is ADMIN_API_KEY. */
const keyLines = (environments: readonly string[]): string =>
  [EVERY_ENVIRONMENT, ...environments]
    .flatMap((environment) => roles.map((role) => ({ role, environment })))
    .filter(
      ({ role, environment }) =>
        environment !== EVERY_ENVIRONMENT || (role !== 'admin' && role !== 'sdk'),
    )
    .map(({ role, environment }) =>
      JSON.stringify({
        name: environment === EVERY_ENVIRONMENT ? role : `${role}@${environment}`,
        sha256: createHash('sha256').update(keyOf(role, environment)).digest('hex'),
        role,
        environments: [environment],
      }),
    )
    .join('\n');
