import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildFerretdb } from './ferretdb.ts';
import { asUser, freePort, NativeServer, type Spec } from './process.ts';
import { cached, needProgram, run } from './tools.ts';

/** Files that a server reads when it starts, and extra settings. */
export interface Wanted {
  /** Keeps its data here; below the folder also its log. */
  readonly folder: string;
  /** Else any free one. */
  readonly port?: number | undefined;
  /** kafka: more lines of server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
  /** prometheus and alertmanager: the configuration file. */
  readonly config?: string;
}

export interface Native {
  readonly url: string;
  readonly server: NativeServer;
}

type Starter = (
  wanted: Wanted,
  port: number,
  spec: (s: NativeSpec) => Spec,
) => Promise<Native> | Native;
type NativeSpec = Pick<Spec, 'command' | 'args'> & Partial<Pick<Spec, 'env' | 'ready' | 'user'>>;

const here = import.meta.dirname;
const debian = (name: string) => `on Debian, apt-get install ${name}`;

const kafka: Starter = async (wanted, port, spec) => {
  const java = needProgram('java', debian('default-jre-headless'));
  const libs = join(
    cached('kafka-4.1.0', (folder) => {
      const maven = needProgram('mvn', debian('maven'));
      cpSync(join(here, 'kafka/pom.xml'), join(folder, 'pom.xml'));
      run(maven, ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=libs'], folder);
    }),
    'libs',
    '*',
  );
  const controller = await freePort();
  const url = `127.0.0.1:${port}`;
  const properties = {
    'node.id': '1',
    'process.roles': 'broker,controller',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${url},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://${url}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(wanted.folder, 'data'),
    'num.partitions': '1',
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...wanted.properties,
  };
  const file = join(wanted.folder, 'server.properties');
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const cluster = 'dGlkZWdhdGUtdGVzdHMxMg';
  run(java, ['-cp', libs, 'kafka.tools.StorageTool', 'format', '-g', '-t', cluster, '-c', file]);
  const args = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-cp', libs, 'kafka.Kafka', file];
  return { url, server: new NativeServer(spec({ command: java, args })) };
};

const mongodb: Starter = (wanted, port, spec) => {
  const folder = cached('ferretdb-1.24.0-tests-3', buildFerretdb);
  const data = join(wanted.folder, 'data');
  mkdirSync(data, { recursive: true });
  const args = [`127.0.0.1:${port}`, `file:${data}/`];
  const server = new NativeServer(spec({ command: join(folder, 'ferretdb'), args }));
  return { url: `mongodb://127.0.0.1:${port}/tidegate`, server };
};

const redis: Starter = (wanted, port, spec) => {
  const command = needProgram('redis-server', debian('redis-server'));
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--dir',
    wanted.folder,
  ];
  return { url: `redis://127.0.0.1:${port}`, server: new NativeServer(spec({ command, args })) };
};

const postgres: Starter = (wanted, port, spec) => {
  const initdb = needProgram('initdb', debian('postgresql'));
  const command = needProgram('postgres', debian('postgresql'));
  const data = join(wanted.folder, 'data');
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? 'postgres' : undefined;
  mkdirSync(data, { recursive: true });
  if (user !== undefined) {
    run('chmod', ['a+rx', wanted.folder]);
    run('chown', ['-R', user, data]);
  }
  const init = ['-D', data, '-U', 'tidegate', '--auth=trust', '--no-sync'];
  const [program = initdb, ...initArgs] = asUser(user, initdb, init);
  run(program, initArgs);
  const listen = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
  const args = ['-D', data, '-p', String(port), ...listen];
  const server = new NativeServer(spec({ command, args, ...(user === undefined ? {} : { user }) }));
  return { url: `postgres://tidegate@127.0.0.1:${port}/postgres`, server };
};

const answers = (url: string) => async (): Promise<boolean> => {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false; // not yet
  }
};

const prometheus: Starter = (wanted, port, spec) => {
  const command = needProgram('prometheus', debian('prometheus'));
  const file = join(wanted.folder, 'prometheus.yml');
  writeFileSync(file, wanted.config ?? 'global: { scrape_interval: 1s }\n');
  const url = `http://127.0.0.1:${port}`;
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(wanted.folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-lifecycle',
  ];
  const ready = answers(`${url}/-/ready`);
  return { url, server: new NativeServer(spec({ command, args, ready })) };
};

const alertmanager: Starter = (wanted, port, spec) => {
  const command = needProgram('prometheus-alertmanager', debian('prometheus-alertmanager'));
  const file = join(wanted.folder, 'alertmanager.yml');
  writeFileSync(file, wanted.config ?? 'route: { receiver: none }\nreceivers: [{ name: none }]\n');
  const url = `http://127.0.0.1:${port}`;
  const args = [
    `--config.file=${file}`,
    `--storage.path=${join(wanted.folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
  ];
  const ready = answers(`${url}/-/ready`);
  return { url, server: new NativeServer(spec({ command, args, ready })) };
};

const starters = { kafka, mongodb, redis, postgres, prometheus, alertmanager } as const;
export type ServerName = keyof typeof starters;
export const serverNames = Object.keys(starters) as readonly ServerName[];

/** Starts a server of this machine. Thrown MissingServer when what it needs is not installed. */
export async function startNative(name: ServerName, wanted: Wanted): Promise<Native> {
  const { folder } = wanted;
  mkdirSync(folder, { recursive: true });
  const port = wanted.port ?? (await freePort());
  const native = await starters[name](wanted, port, (rest) => ({
    name,
    port,
    logFile: join(folder, `${name}.log`),
    ...rest,
  }));
  await native.server.start();
  return native;
}
