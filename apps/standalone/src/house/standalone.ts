import { join } from 'node:path';
import { auditSink } from '@tidegate/audit-sink';
import { openEmbeddedBus } from '@tidegate/bus';
import { flagService } from '@tidegate/flag-service';
import { AppError, isAppError } from '@tidegate/kernel';
import { metricsGatekeeper } from '@tidegate/metrics-gatekeeper';
import { migrationRunner } from '@tidegate/migration-runner';
import { notifier } from '@tidegate/notifier';
import {
  type Environment,
  openLog,
  randomIds,
  readConfig,
  type RunningService,
  type ServiceDefinition,
  startService,
  systemClock,
} from '@tidegate/platform';
import { openSqliteStore } from '@tidegate/store';
import type { z } from 'zod';
import { Config } from './config.ts';
import { adminKeyIn, openDataFolder } from './data-folder.file.ts';

/** In the order of starting: who is listened to comes before who speaks. */
const definitions: readonly ServiceDefinition[] = [
  auditSink,
  notifier,
  flagService,
  migrationRunner,
  metricsGatekeeper,
];
const PORTS_FROM = 7_400;
/** Stands for the key that the data folder keeps, while options are checked. */
const MADE_LATER = 'a key made later';

export interface Standalone {
  /** By the service's name. */
  readonly urls: Readonly<Record<string, string>>;
  readonly adminKey: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** The last one started stops first; then bus and store. */
  stop(): Promise<void>;
}

/**
 * The five services in this process, on an embedded bus and store below DATA_DIR, on loopback.
 * Thrown CONFIG_INVALID, STANDALONE_FOLDER_FOREIGN, STORE_IN_USE, PLATFORM_PORT_IN_USE; what was started by then
 * is stopped again.
 */
export async function startStandalone(
  env: Environment,
  endProcess: (reason: string) => void,
): Promise<Standalone> {
  const config = readOptions(env);
  const { DATA_DIR: dataDir, PORT_BASE: base } = config;
  openDataFolder(dataDir);
  const adminKey = config.ADMIN_API_KEY ?? adminKeyIn(dataDir);
  const logFile = config.LOG_FILE ?? join(dataDir, 'tidegate.log');
  const closers: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const log = openLog({ level: config.LOG_LEVEL, file: logFile });
    closers.push(() => log.close());
    const ambient = { clock: systemClock, ids: randomIds };
    const store = await openSqliteStore({ file: join(dataDir, 'store.db'), clock: systemClock });
    closers.push(() => store.close());
    const file = join(dataDir, 'bus.db');
    const bus = await openEmbeddedBus({ file, ...ambient, source: 'standalone' });
    closers.push(() => bus.close());
    const urls: Record<string, string> = {};
    for (const definition of definitions) {
      const running: RunningService = await startService(definition, {
        env: { ...env, DATA_DIR: dataDir, ADMIN_API_KEY: adminKey, PORT: undefined },
        shared: { ...ambient, bus, store, log: log.log },
        port: base === 0 ? 0 : base + definition.defaultPort - PORTS_FROM,
        portOption: 'PORT_BASE',
        endProcess,
      });
      closers.push(() => running.stop());
      urls[definition.name] = running.url;
    }
    return { urls, adminKey, dataDir, logFile, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Standalone's options. Thrown CONFIG_INVALID before anything is opened: also what is wrong with the services'. */
function readOptions(env: Environment): z.output<typeof Config> {
  const given = { ...env, ADMIN_API_KEY: env['ADMIN_API_KEY'] || MADE_LATER, PORT: undefined };
  const wrong = new Set<string>();
  const read = <C extends z.ZodType>(options: C): z.output<C> | undefined => {
    try {
      return readConfig(given, options).own;
    } catch (error) {
      if (!isAppError(error, 'CONFIG_INVALID')) throw error;
      for (const line of error.message.split('\n').slice(1)) wrong.add(line);
      return undefined;
    }
  };
  const own = read(Config);
  for (const { config } of definitions) read(config);
  if (own && wrong.size === 0) return { ...own, ADMIN_API_KEY: env['ADMIN_API_KEY'] || undefined };
  throw new AppError('CONFIG_INVALID', ['Options are wrong:', ...wrong].join('\n'));
}
