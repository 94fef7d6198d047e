import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Environment, systemClock } from '@tidegate/platform';
import { openSqliteStore } from '@tidegate/store';
import { adminKeyIn } from '../house/data-folder.file.ts';
import type { House, HouseOptions } from './house.ts';
import { startServers } from './servers.process.ts';
import { startServices } from './services.process.ts';

/**
 * Real servers, and every service in processes of its own on them. Thrown DEMO_SERVERS_MISSING, DEMO_SERVICE_FAILED;
 * what was started by then is stopped again.
 */
export async function startProcesses(
  env: Environment,
  { folder, examplePort, endProcess }: HouseOptions,
): Promise<House> {
  const closers: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    // Nobody writes to it: it tells the next demo that the folder is in use.
    const claim = await openSqliteStore({ file: join(folder, 'store.db'), clock: systemClock });
    closers.push(() => claim.close());
    const servers = await startServers(env, folder, examplePort);
    closers.push(() => servers.stop());
    const adminKey = env['ADMIN_API_KEY'] || adminKeyIn(folder);
    const { kafka, mongodb, redis, prometheus } = servers.urls;
    const services = await startServices({
      env: {
        ...env,
        ADMIN_API_KEY: adminKey,
        BUS_URL: `kafka://${kafka}?replication=1`,
        STORE_URL: ownDatabase(mongodb),
        REDIS_URL: redis,
      },
      folder,
      portBase: Number(env['PORT_BASE'] ?? 7_400),
      onLost: endProcess,
    });
    closers.push(() => services.stop());
    const count = Object.values(services.urls).flat().length;
    return {
      urls: services.urls,
      adminKey,
      dataDir: folder,
      logFile: join(folder, '*.log'),
      prometheus,
      description: `five services in ${count} processes on Kafka, MongoDB, Redis and Prometheus`,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Servers may be somebody else's, with the data of an earlier demo. */
function ownDatabase(url: string): string {
  const own = new URL(url);
  own.pathname = `/tidegate-demo-${randomBytes(4).toString('hex')}`;
  return own.href;
}
