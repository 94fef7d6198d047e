import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { isRejection } from '@tidegate/kernel';
import type { Metrics } from '../metrics/metrics.ts';

/** Times every request by its route, and logs it: what changes something at `info`, what only reads at `debug`. */
export function watchRequests(server: FastifyInstance, log: Logger, metrics: Metrics): void {
  server.addHook('onResponse', (request, reply, done) => {
    const { method, caller } = request;
    const route = request.routeOptions.url ?? 'unknown';
    const ms = reply.elapsedTime;
    metrics.httpSeconds.observe({ method, route, status: reply.statusCode }, ms / 1_000);
    const reads =
      method === 'GET' || method === 'HEAD' || isRejection(caller) || caller.role === 'sdk';
    const level = reads ? 'debug' : 'info';
    if (log.isLevelEnabled(level))
      log[level](
        {
          method,
          route,
          status: reply.statusCode,
          ms: Math.round(ms * 1_000) / 1_000,
          ...(isRejection(caller) ? {} : { caller: caller.name }),
          ...request.span?.spanContext(),
        },
        'a request was answered',
      );
    done();
  });
}
