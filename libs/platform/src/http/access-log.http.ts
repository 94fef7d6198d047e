import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { isRejection, type Rejection } from '@tidegate/kernel';
import type { Caller } from '../auth/access.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { traceOf } from '../telemetry/trace.ts';

/** Times every request by its route, and logs it: what changes something at `info`, what only reads at `debug`. */
export function watchRequests(server: FastifyInstance, log: Logger, metrics: Metrics): void {
  server.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const caller = knownCaller(request);
    const route = request.routeOptions.url ?? 'unknown';
    const ms = reply.elapsedTime;
    metrics.httpSeconds.observe({ method, route, status: reply.statusCode }, ms / 1_000);
    const reads =
      method === 'GET' || method === 'HEAD' || caller === undefined || caller.role === 'sdk';
    const level = reads ? 'debug' : 'info';
    if (log.isLevelEnabled(level))
      log[level](
        {
          method,
          route,
          status: reply.statusCode,
          ms: Math.round(ms * 1_000) / 1_000,
          ...(caller === undefined ? {} : { caller: caller.name }),
          ...(request.span && traceOf(request.span)),
        },
        'a request was answered',
      );
    done();
  });
}

/** What Fastify answers before any hook, e.g. a path that cannot be decoded, has not even a reason. */
const knownCaller = ({ caller }: { caller?: Caller | Rejection }): Caller | undefined =>
  caller === undefined || isRejection(caller) ? undefined : caller;
