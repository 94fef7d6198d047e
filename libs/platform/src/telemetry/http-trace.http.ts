import { randomBytes } from 'node:crypto';
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LazySpan } from './lazy-span.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the handler; undefined before it. */
    span: Span | undefined;
  }
}

const hex = (digits: number): string => randomBytes(digits / 2).toString('hex');

/**
 * Runs each handler in the trace that its request belongs to, or in a new one. The hook is the last before the
 * handler: what ran before would lose the context while the body is read.
 * @param recorded whether spans are exported at all
 */
export function traceRequests(server: FastifyInstance, service: string, recorded: boolean): void {
  const tracer = trace.getTracer(service);
  const spanIn = recorded
    ? (request: FastifyRequest, parent: Context): Span =>
        startSpan(tracer, service, request, parent)
    : (_: FastifyRequest, parent: Context): Span => trace.getSpan(parent) ?? new LazySpan(hex);
  server.decorateRequest('span', undefined);
  server.addHook('preHandler', (request, _reply, done) => {
    const isNew = request.headers['traceparent'] === undefined;
    const parent = isNew ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, request.headers);
    request.span = spanIn(request, parent);
    context.with(trace.setSpan(parent, request.span), done);
  });
  if (!recorded) return;
  server.addHook('onResponse', (request, reply, done) => {
    request.span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) request.span?.setStatus({ code: SpanStatusCode.ERROR });
    request.span?.end();
    done();
  });
}

function startSpan(
  tracer: ReturnType<typeof trace.getTracer>,
  service: string,
  { method, routeOptions }: FastifyRequest,
  parent: Context,
): Span {
  const route = routeOptions.url ?? 'unknown';
  const attributes = {
    'tidegate.service': service,
    'http.request.method': method,
    'http.route': route,
  };
  return tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
}
