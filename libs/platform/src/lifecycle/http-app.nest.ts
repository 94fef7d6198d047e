import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { connectBus } from '@tidegate/bus';
import { KeyGuard, authenticate } from '../auth/key-guard.nest.ts';
import type { KeyRing } from '../auth/key-ring.file.ts';
import { recordRefusals } from '../auth/refusals.handler.ts';
import { BusController } from '../bus/bus.controller.ts';
import { measureLag } from '../bus/bus-metrics.ts';
import type { PlatformConfig } from '../config/platform-config.ts';
import { HealthController } from '../health/health.controller.ts';
import { watchRequests } from '../http/access-log.http.ts';
import { openFastLane } from '../http/fast-lane.http.ts';
import { Intake } from '../http/intake.http.ts';
import { takeLargeBodies } from '../http/large-body.nest.ts';
import { refuseDeepJson } from '../http/json-depth.http.ts';
import { describeApi } from '../http/openapi.nest.ts';
import { problemFilter, Problems } from '../http/problem-filter.nest.ts';
import type { IdempotencyKeys } from '../idempotency/idempotency-keys.handler.ts';
import { refuseReuse } from '../idempotency/refuse-reuse.http.ts';
import { limitRequests } from '../limits/limit-requests.http.ts';
import type { CallerKind, RateLimits } from '../limits/rate-limits.handler.ts';
import { nestLog } from '../log/nest-log.nest.ts';
import { processMetrics } from '../metrics/process-metrics.ts';
import type { ServiceDefinition } from '../service.ts';
import { traceRequests } from '../telemetry/http-trace.http.ts';
import { HEALTH, METRICS_TEXT, SERVICE_CONTEXT } from '../tokens.ts';
import type { OwnContext } from './service-context.module.ts';

@Module({})
class PlatformModule {}

export interface HttpAppOptions {
  readonly definition: Pick<ServiceDefinition, 'name' | 'description' | 'statuses'>;
  readonly own: OwnContext;
  readonly module: DynamicModule;
  readonly keys: KeyRing;
  readonly limits: RateLimits;
  readonly idempotency: IdempotencyKeys;
  readonly platform: PlatformConfig;
}

export interface HttpApp {
  readonly app: NestFastifyApplication;
  readonly intake: Intake;
  /** Finishes and commits what is under way. */
  readonly stopConsumers: () => Promise<void>;
}

const TEXTS = ['application/yaml', 'text/yaml', 'application/x-yaml', 'text/x-yaml', 'text/plain'];

/** The service's Nest application, not yet listening: guard, problems, logs, metrics, health and API description. */
export async function createHttpApp(options: HttpAppOptions): Promise<HttpApp> {
  const { definition, own, keys, limits, idempotency, platform } = options;
  const { log } = own.context;
  const problems = new Problems({
    statuses: definition.statuses,
    log,
    onRefused: recordRefusals({ ...own.context, metrics: own.metrics }),
  });
  const adapter = new FastifyAdapter({
    logger: false,
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      problems.answerError(error, request, reply),
    bodyLimit: platform.HTTP_BODY_LIMIT_BYTES,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 500 },
  });
  const server = adapter.getInstance();
  const intake = new Intake(server);
  authenticate(server, keys);
  takeLargeBodies(server, platform.HTTP_BODY_LIMIT_BYTES);
  const onLimited = (kind: CallerKind) => own.metrics.rateLimited.inc({ kind });
  const limiting = { limits, problems, onLimited };
  limitRequests(server, limiting);
  refuseReuse(server, { keys: idempotency, problems });
  traceRequests(server, definition.name, platform.ENABLE_TELEMETRY);
  watchRequests(server, log, own.metrics);
  problems.answerRejections(server);
  refuseDeepJson(server);
  // Only what is named here is read as a body: anything else is 415.
  server.addContentTypeParser(TEXTS, { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
  await openFastLane(server, own.routes, {
    ...limiting,
    service: definition.name,
    keys,
    intake,
    log,
    metrics: own.metrics,
    bodyLimit: platform.HTTP_BODY_LIMIT_BYTES,
    traced: platform.ENABLE_TELEMETRY,
  });
  const app = await NestFactory.create<NestFastifyApplication>(rootModule(options), adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: nestLog(log),
  });
  app.useGlobalGuards(new KeyGuard());
  app.useGlobalFilters(problemFilter(problems, log));
  describeApi(app, definition, own.routes);
  const consumers = connectBus(app, own.context.bus, { service: definition.name });
  return { app, intake, stopConsumers: () => consumers.close() };
}

function rootModule({ definition, own, module }: HttpAppOptions): DynamicModule {
  const metricsText = async (): Promise<string> => {
    measureLag(definition.name, await own.context.bus.lag(), own.metrics);
    const texts = [processMetrics().metrics(), own.context.registry.metrics()];
    return [...(await Promise.all(texts)), own.metrics.requestTimes.text()].join('\n');
  };
  return {
    module: PlatformModule,
    global: true,
    imports: [module],
    controllers: [HealthController, BusController],
    providers: [
      { provide: SERVICE_CONTEXT, useValue: own.context },
      { provide: HEALTH, useValue: own.health },
      { provide: METRICS_TEXT, useValue: metricsText },
    ],
    exports: [SERVICE_CONTEXT],
  };
}
