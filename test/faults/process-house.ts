import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@tidegate/kernel/testing';
import { type Answer, askAt, type Asked, type House, waysInto } from '../e2e/house.ts';
import { temporaryFolder } from '../e2e/process.ts';
import { freePortBase } from '../e2e/target.ts';
import { openServer, type Server } from '../servers/servers.ts';
import { arm, type Fault } from './armed-fault.ts';
import { ServiceProcess } from './service.process.ts';

export const SERVICES = {
  'flag-service': 2,
  'metrics-gatekeeper': 2,
  'migration-runner': 1,
  notifier: 1,
  'audit-sink': 1,
} as const;
export type ServiceName = keyof typeof SERVICES;
export const serviceNames = Object.keys(SERVICES) as readonly ServiceName[];

const REACHED_WITHIN_MS = 60_000;
const STARTED_WITHIN_MS = 60_000;

/** Every service in processes of its own, on servers of its own; any of them can be taken away. */
export interface ProcessHouse extends House {
  readonly servers: Readonly<Record<'kafka' | 'mongodb' | 'redis', Server>>;
  readonly replicas: readonly ServiceProcess[];
  /** `flag-service/2`: one replica. */
  replica(name: string): ServiceProcess;
  replicasOf(service: ServiceName): readonly ServiceProcess[];
  askReplica<T = Record<string, unknown>>(
    name: string,
    method: string,
    path: string,
    asked?: Asked,
  ): Promise<Answer<T>>;
  /** The first of the service's processes that comes there does that to itself. */
  arm(service: ServiceName, fault: Fault): void;
  /** Resolves with the process that has killed itself at the armed fault; rejects when nobody came there. */
  killedItself(service: ServiceName): Promise<ServiceProcess>;
}

/** @param env of every service, besides its addresses */
export async function openProcessHouse(
  env: Readonly<Record<string, string>>,
): Promise<ProcessHouse> {
  await using opened = new AsyncDisposableStack();
  const folder = temporaryFolder();
  const adminKey = `admin-${randomBytes(16).toString('hex')}`;
  writeFileSync(join(folder, 'admin.key'), adminKey);
  const servers = await openServers(opened);
  const whole = { ...env, ...addresses(servers), DATA_DIR: folder, ADMIN_API_KEY: adminKey };
  const replicas = await startReplicas(opened, folder, whole);
  const replicasOf = (service: ServiceName) => replicas.filter((each) => each.service === service);
  const replica = (name: string): ServiceProcess => {
    const found = replicas.find((each) => each.name === name);
    if (!found) throw new Error(`There is no ${name}.`);
    return found;
  };
  const urls = Object.fromEntries(replicas.map(({ service, url }) => [service, url]));
  let asked = 0;
  const all = opened.move();
  return {
    ...waysInto({ folder, urls, adminKey }, (service) => {
      const up = replicas.filter((each) => each.service === service && each.isUp);
      asked += 1;
      return up[asked % up.length]?.url ?? urls[service];
    }),
    servers,
    replicas,
    replicasOf,
    replica,
    askReplica: (name, method, path, asked) =>
      askAt(replica(name).url + path, method, adminKey, asked),
    arm: (service, fault) => {
      arm(faultFile(folder, service), fault);
    },
    killedItself: (service) =>
      eventually(async () => {
        for (const each of replicasOf(service)) if (await each.hasKilledItself()) return each;
        return undefined;
      }, REACHED_WITHIN_MS),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function openServers(opened: AsyncDisposableStack): Promise<ProcessHouse['servers']> {
  const open = async (name: 'kafka' | 'mongodb' | 'redis') => {
    const server = await openServer(name, { own: true });
    opened.defer(() => server.stop());
    return server;
  };
  const [kafka, mongodb, redis] = await Promise.all([
    open('kafka'),
    open('mongodb'),
    open('redis'),
  ]);
  return { kafka, mongodb, redis };
}

const addresses = ({ kafka, mongodb, redis }: ProcessHouse['servers']) => ({
  BUS_URL: `kafka://${kafka.url}?replication=1`,
  STORE_URL: mongodb.url,
  REDIS_URL: redis.url,
});

const faultFile = (folder: string, service: string): string => join(folder, 'faults', service);

async function startReplicas(
  opened: AsyncDisposableStack,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly ServiceProcess[]> {
  mkdirSync(join(folder, 'faults'));
  const base = await freePortBase();
  const replicas = serviceNames
    .flatMap((service) =>
      Array.from({ length: SERVICES[service] }, (_, index) => ({ service, replica: index + 1 })),
    )
    .map(
      (one, index) =>
        new ServiceProcess({
          ...one,
          port: base + index,
          env,
          faultFile: faultFile(folder, one.service),
        }),
    );
  opened.defer(async () => {
    await Promise.all(replicas.map((each) => each.kill()));
  });
  await Promise.all(replicas.map(startWithPatience));
  return replicas;
}

/** All at once, on a new store and a busy machine: one that gives up is started again, as by any supervisor. */
const startWithPatience = (replica: ServiceProcess): Promise<boolean> =>
  eventually(async () => {
    await replica.start();
    return true;
  }, STARTED_WITHIN_MS);
