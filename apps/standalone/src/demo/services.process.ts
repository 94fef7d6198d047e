import { join } from 'node:path';
import { auditSink } from '@tidegate/audit-sink';
import { flagService } from '@tidegate/flag-service';
import { AppError } from '@tidegate/kernel';
import { metricsGatekeeper } from '@tidegate/metrics-gatekeeper';
import { migrationRunner } from '@tidegate/migration-runner';
import { notifier } from '@tidegate/notifier';
import type { Environment, ServiceDefinition } from '@tidegate/platform';
import { type Program, startProgram } from './program.process.ts';
import { ROOT } from './root.ts';

/** One after the other, so that the ports of second replicas are the same each time. */
const PROCESSES: readonly (readonly [Pick<ServiceDefinition, 'name' | 'defaultPort'>, number])[] = [
  [auditSink, 1],
  [notifier, 1],
  [flagService, 2],
  [migrationRunner, 1],
  [metricsGatekeeper, 2],
];
const PORTS_FROM = 7_400;
const NEXT_REPLICA = 10;
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;

export interface Services {
  /** By the service's name, of each replica. */
  readonly urls: Readonly<Record<string, readonly string[]>>;
  stop(): Promise<void>;
}

export interface ServicesOptions {
  /** Of every process. */
  readonly env: Environment;
  readonly folder: string;
  /** 0: any free ports. */
  readonly portBase: number;
  /** Called when one ends that nobody has stopped. */
  readonly onLost: (reason: string) => void;
}

/** Every service in a process of its own, some of them twice. Thrown DEMO_SERVICE_FAILED; the others are stopped then. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const started = PROCESSES.flatMap(([service, replicas]) =>
    Array.from({ length: replicas }, (_, index) => ({
      name: service.name,
      ...startService(service, index, options),
    })),
  );
  const stop = async (): Promise<void> => {
    await Promise.all(started.map(({ stop: stopOne }) => stopOne()));
  };
  try {
    const urls: Record<string, readonly string[]> = {};
    for (const { name, url } of started) urls[name] = [...(urls[name] ?? []), await url];
    return { urls, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startService(
  { name, defaultPort }: Pick<ServiceDefinition, 'name' | 'defaultPort'>,
  index: number,
  { env, folder, portBase, onLost }: ServicesOptions,
): { readonly url: Promise<string>; stop(): Promise<void> } {
  const logFile = join(folder, `${name}-${index + 1}.log`);
  const port = portBase === 0 ? 0 : portBase + defaultPort - PORTS_FROM + index * NEXT_REPLICA;
  const { promise: url, resolve, reject } = Promise.withResolvers<string>();
  let isStopping = false;
  const failed = (why: string) =>
    reject(new AppError('DEMO_SERVICE_FAILED', `${name} did not start: ${why}; see ${logFile}`));
  const program: Program = startProgram({
    args: [join(ROOT, `apps/${name}/dist/main.js`)],
    env: { ...env, PORT: String(port), LOG_LEVEL: 'info', LOG_FILE: undefined },
    logFile,
    stopWithinMs: STOP_WITHIN_MS,
    onLine: (line) => {
      const ready = readyUrl(line);
      if (ready !== undefined) resolve(ready);
    },
  });
  const timer = setTimeout(() => failed('it was not ready in time'), READY_WITHIN_MS);
  program.process.once('close', (code, signal) => {
    failed(`it ended with ${code ?? signal}`);
    url.then(
      () => isStopping || onLost(`${name} ended with ${code ?? signal}; see ${logFile}`),
      () => undefined, // it never started: whoever waits for it is told
    );
  });
  void url.then(
    () => clearTimeout(timer),
    () => clearTimeout(timer),
  );
  return {
    url,
    stop: () => {
      isStopping = true;
      return program.stop();
    },
  };
}

const READY = 'the service is ready';

/** The address in the line of the log that says that a service is ready; other programs' lines may be no JSON. */
function readyUrl(line: string): string | undefined {
  if (!line.includes(READY)) return undefined;
  const { msg, url } = JSON.parse(line) as { msg?: unknown; url?: unknown };
  return msg === READY && typeof url === 'string' ? url : undefined;
}
