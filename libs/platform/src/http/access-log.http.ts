import { isRejection, type Rejection } from '@tidegate/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Caller } from '../auth/access.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { traceOf } from '../telemetry/trace.ts';

type Note = (
  route: string,
  request: FastifyRequest,
  reply: FastifyReply,
  ms: number,
  isReading?: boolean,
) => void;

/** Times an answered request by its route, and logs it: what changes something at `info`, what only reads at `debug`. */
export const noteOf =
  (log: Logger, { requestTimes }: Pick<Metrics, 'requestTimes'>): Note =>
  (route, request, reply, ms, isReading = readsOnly(request)) => {
    requestTimes.observe(request.method, route, reply.statusCode, ms / 1_000);
    const level = isReading ? 'debug' : 'info';
    if (log.isLevelEnabled(level))
      log[level](lineOf(route, request, reply.statusCode, ms), 'a request was answered');
  };

export function watchRequests(
  server: FastifyInstance,
  log: Logger,
  metrics: Pick<Metrics, 'requestTimes'>,
): void {
  const note = noteOf(log, metrics);
  // By route, not in one hook for all: finding out the route of a request takes longer than all of this.
  server.addHook('onRoute', (route) => {
    route.onResponse = [
      ...[route.onResponse ?? []].flat(),
      (request, reply, done) => {
        note(route.url, request, reply, reply.elapsedTime);
        done();
      },
    ];
  });
  server.addHook('onResponse', (request, reply, done) => {
    if (request.is404) note('unknown', request, reply, reply.elapsedTime);
    done();
  });
}

const lineOf = (route: string, request: FastifyRequest, status: number, ms: number) => ({
  method: request.method,
  route,
  status,
  ms: Math.round(ms * 1_000) / 1_000,
  caller: knownCaller(request)?.name,
  ...(request.span && traceOf(request.span)),
});

/** Evaluation is asked for with POST too; whoever may only read changes nothing by it. */
const readsOnly = (request: FastifyRequest): boolean =>
  request.method === 'GET' ||
  request.method === 'HEAD' ||
  (knownCaller(request)?.role ?? 'sdk') === 'sdk';

/** What Fastify answers before any hook, e.g. a path that cannot be decoded, has not even a reason. */
const knownCaller = ({ caller }: { caller?: Caller | Rejection }): Caller | undefined =>
  caller === undefined || isRejection(caller) ? undefined : caller;
