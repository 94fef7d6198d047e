import type { AddressInfo } from 'node:net';
import type { Bus } from '@tidegate/bus';
import { AppError, type Clock, type Ids } from '@tidegate/kernel';
import { type Faults, noFaults, type Store } from '@tidegate/store';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { openKeyRing } from '../auth/key-ring.file.ts';
import { watchBus } from '../bus/reports.handler.ts';
import { type Config, type Environment, processEnvironment, readConfig } from '../config/config.ts';
import type { PlatformConfig } from '../config/platform-config.ts';
import { openIdempotencyKeys } from '../idempotency/idempotency.module.ts';
import { openRateLimits } from '../limits/rate-limits.module.ts';
import { type Log, openLog } from '../log/log.file.ts';
import { openPager, pageFailedStart } from '../pager/pager.module.ts';
import { openRedis } from '../redis/redis.module.ts';
import type { RunningService, ServiceDefinition } from '../service.ts';
import { randomIds, systemClock } from '../system-clock.ts';
import { tracedBus } from '../telemetry/traced-bus.otlp.ts';
import { startTelemetry } from '../telemetry/telemetry.otlp.ts';
import { openDrivers } from './drivers.module.ts';
import { createHttpApp, type HttpApp } from './http-app.nest.ts';
import { createContext, type OwnContext } from './service-context.module.ts';
import { Opened } from './shutdown.handler.ts';

/** What a service shares with others in its process; it closes none of it. */
export interface Shared {
  readonly bus?: Bus;
  readonly store?: Store;
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly log?: Logger;
  readonly faults?: Faults;
}

export interface StartOptions {
  /** Instead of the process's environment. */
  readonly env?: Environment;
  readonly shared?: Shared;
  readonly host?: string;
  readonly port?: number;
  /** The option that sets the port, for the message when it is taken. Default PORT. */
  readonly portOption?: string;
  /** Ends the process when a handler hangs. Without it that is only logged. */
  readonly endProcess?: (reason: string) => void;
}

/**
 * Starts a service and resolves when it answers requests and consumes messages.
 * Thrown CONFIG_INVALID, PLATFORM_PORT_IN_USE, STORE_IN_USE, BUS_IN_USE and what the service itself throws;
 * whatever was opened by then is closed again.
 */
export async function startService<C extends z.ZodType>(
  definition: ServiceDefinition<C>,
  options: StartOptions = {},
): Promise<RunningService> {
  const config = readConfig(options.env ?? processEnvironment(), definition.config);
  const log = logOf(definition, options, config.platform);
  const opened = new Opened();
  try {
    const own = await open(definition, log, options, config, opened);
    const http = await serve(definition, config, own, opened);
    const url = await listen(http, definition, options, config.platform, opened);
    for (const loop of own.loops) loop.start();
    own.health.phase = 'running';
    own.context.log.info({ url }, 'the service is ready');
    const stop = once(() => stopService(own, opened, log, config.platform.SHUTDOWN_GRACE_MS));
    return { name: definition.name, url, stop };
  } catch (error) {
    await opened.close(config.platform.SHUTDOWN_GRACE_MS);
    const { clock = systemClock } = options.shared ?? {};
    await pageFailedStart(
      config.platform,
      { service: definition.name, clock, log: log.log },
      error,
    );
    await log.close();
    throw error;
  }
}

/** Telemetry, bus, store and the context made of them. */
async function open(
  { name }: Pick<ServiceDefinition, 'name'>,
  { log }: ServiceLog,
  { shared = {}, endProcess }: StartOptions,
  { platform }: Config<z.ZodType>,
  opened: Opened,
): Promise<OwnContext> {
  const service = platform.SERVICE_NAME ?? name;
  const telemetry = startTelemetry({
    enabled: platform.ENABLE_TELEMETRY,
    endpoint: platform.OTEL_EXPORTER_OTLP_ENDPOINT,
    service,
  });
  opened.add('telemetry', () => telemetry.close());
  const { clock = systemClock, ids = randomIds, faults = noFaults } = shared;
  const instance = ids.next();
  const drivers = await openDrivers(platform, shared, { clock, ids, source: name, instance });
  opened.add('bus and store', drivers.close);
  const { store } = drivers;
  const bus = platform.ENABLE_TELEMETRY ? tracedBus(drivers.bus, name) : drivers.bus;
  const own = createContext({ name, instance, clock, ids, bus, store, faults, log });
  const pager = openPager(platform, own);
  opened.add('pager', pager.close);
  watchBus({
    service: name,
    bus,
    log,
    metrics: own.metrics,
    self: own.self,
    lastWords: pager.lastWords,
    endProcess:
      endProcess ?? ((reason) => log.error({ reason }, 'nothing ends this process: it hangs')),
  });
  return own;
}

type ServiceLog = Pick<Log, 'log' | 'close'>;

/** Its own, or a part of a log that others close. It is closed when everything else is: somebody has to tell. */
function logOf(
  { name }: Pick<ServiceDefinition, 'name'>,
  { shared }: StartOptions,
  { LOG_LEVEL: level, LOG_FILE: file, SERVICE_NAME: service = name }: PlatformConfig,
): ServiceLog {
  if (shared?.log) return { log: shared.log.child({ service }), close: async () => undefined };
  return openLog({ level, file, service });
}

/** The service's module, with everything that stops in the order of its making, the last one first. */
async function serve<C extends z.ZodType>(
  definition: ServiceDefinition<C>,
  { platform, own: options }: Config<C>,
  own: OwnContext,
  opened: Opened,
): Promise<HttpApp> {
  const keys = openKeyRing({
    adminKey: platform.ADMIN_API_KEY,
    file: platform.API_KEYS_FILE,
    checkMs: platform.API_KEYS_CHECK_MS,
    log: own.context.log,
  });
  opened.add('keys', () => keys.close());
  own.context.health('apiKeys', () => {
    const problem = keys.problem();
    if (problem !== undefined) throw new Error(problem);
  });
  const redis = await openRedis(platform, own.context);
  opened.add('Redis', () => redis?.close());
  const idempotency = await openIdempotencyKeys(own.context, redis);
  const limits = await openRateLimits(platform, own.context, redis);
  opened.add('rate limits', () => limits.close());
  opened.add('what the service opened', own.closeAll);
  const module = await definition.module({ ...own.context, redis }, options);
  const http = await createHttpApp({
    definition,
    own,
    module,
    keys,
    limits,
    idempotency,
    platform,
  });
  opened.add('application', () => http.app.close());
  opened.add('outbox', own.flush);
  opened.add('loops', () => own.stopLoops());
  await http.app.init();
  opened.add('consumers', http.stopConsumers);
  await http.app.startAllMicroservices();
  return http;
}

async function listen(
  { app, intake }: HttpApp,
  { defaultPort }: Pick<ServiceDefinition, 'defaultPort'>,
  options: StartOptions,
  config: PlatformConfig,
  opened: Opened,
): Promise<string> {
  const { portOption = 'PORT', host = config.HOST, port = config.PORT ?? defaultPort } = options;
  const server = app.getHttpAdapter().getInstance();
  // Half of the time for the requests under way, so that consumers and loops have some too.
  opened.add('requests', () =>
    intake.close(config.SHUTDOWN_LINGER_MS, config.SHUTDOWN_GRACE_MS / 2),
  );
  try {
    await server.listen({ host, port });
  } catch (error) {
    if (!isAddressInUse(error)) throw error;
    throw new AppError(
      'PLATFORM_PORT_IN_USE',
      `Port ${port} on ${host} is in use by another program: set ${portOption} to a free one.`,
      { cause: error },
    );
  }
  const bound = server.server.address() as AddressInfo;
  return `http://${urlHost(bound)}:${bound.port}`;
}

const isAddressInUse = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE';

/** An address that a client on this machine can use. */
function urlHost({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return family === 'IPv6' ? `[${address}]` : address;
}

/** Thrown PLATFORM_STOP_TIMED_OUT, when all is closed that could be. */
async function stopService(
  own: OwnContext,
  opened: Opened,
  { log, close: closeLog }: ServiceLog,
  graceMs: number,
): Promise<void> {
  log.info('the service stops');
  own.health.phase = 'stopping';
  own.stopping.abort();
  const unfinished = await opened.close(graceMs);
  log.info({ unfinished }, 'the service has stopped');
  await closeLog();
  if (unfinished.length === 0) return;
  const what = unfinished.map(({ step, why }) => `${step} (${why})`).join(', ');
  throw new AppError('PLATFORM_STOP_TIMED_OUT', `Did not stop in an orderly way: ${what}.`);
}

function once<T>(run: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= run());
}
