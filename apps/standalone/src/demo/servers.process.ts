import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@tidegate/kernel';
import type { Environment } from '@tidegate/platform';
import { ROOT } from './root.ts';
import { startProgram } from './program.process.ts';

const NAMES = ['kafka', 'mongodb', 'redis', 'prometheus'] as const;
type Name = (typeof NAMES)[number];

/** Addresses, and whose servers they are: `environment`, `compose` or `native`. */
export interface Servers {
  readonly urls: Readonly<Record<Name, string>>;
  readonly how: Readonly<Record<Name, string>>;
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 20_000;
/** As often as the plans of the demo look. */
export const SCRAPE_INTERVAL = '500ms';
const LINE = /^(\w+)\s+(\S+)\s+\((\w+)\)$/;

/**
 * Real servers: what the environment names (KAFKA_BROKERS, MONGODB_URL, REDIS_URL), or Docker Compose has, or this
 * machine can run; and a Prometheus of our own, which scrapes the example. Thrown DEMO_SERVERS_MISSING, saying what to install.
 */
export async function startServers(
  env: Environment,
  folder: string,
  examplePort: number,
): Promise<Servers> {
  const logFile = join(folder, 'servers.log');
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, prometheusConfig(examplePort));
  const urls: Partial<Record<Name, string>> = {};
  const how: Partial<Record<Name, string>> = {};
  const { promise: started, resolve, reject } = Promise.withResolvers<void>();
  const program = startProgram({
    args: [join(ROOT, 'test/servers/main.ts'), ...NAMES],
    env: { ...env, REQUIRE_SERVERS: '1', PROMETHEUS_CONFIG: config },
    logFile,
    stopWithinMs: STOP_WITHIN_MS,
    onLine: (line) => {
      const [, name, url, from] = LINE.exec(line) ?? [];
      const known = NAMES.find((each) => each === name);
      if (known && url !== undefined && from !== undefined) {
        urls[known] = url;
        how[known] = from;
      }
      if (NAMES.every((each) => urls[each] !== undefined)) resolve();
    },
  });
  program.process.once('close', () => {
    const [why = 'it ended'] =
      readFileSync(logFile, 'utf8').match(/^\w*(Error|MissingServer): .*$/m) ?? [];
    reject(
      new AppError('DEMO_SERVERS_MISSING', `The servers did not start: ${why}; see ${logFile}`),
    );
  });
  await started;
  return {
    urls: urls as Record<Name, string>,
    how: how as Record<Name, string>,
    stop: () => program.stop(),
  };
}

const prometheusConfig = (examplePort: number): string => `\
global: { scrape_interval: ${SCRAPE_INTERVAL}, scrape_timeout: ${SCRAPE_INTERVAL} }
scrape_configs:
  - job_name: checkout
    static_configs: [{ targets: ['127.0.0.1:${examplePort}'] }]
`;
