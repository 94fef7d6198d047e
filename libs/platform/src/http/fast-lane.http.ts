import type { IncomingMessage, ServerResponse } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { isRejection } from '@tidegate/kernel';
import type { Logger } from 'pino';
import { authenticate, authorize } from '../auth/key-guard.nest.ts';
import type { KeyRing } from '../auth/key-ring.file.ts';
import { limitRequests, type RequestLimitOptions } from '../limits/limit-requests.http.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { traceRequests } from '../telemetry/http-trace.http.ts';
import { noteOf } from './access-log.http.ts';
import { failureOf } from './failure.http.ts';
import type { FastRoute } from './fast-route.ts';
import type { Intake } from './intake.http.ts';
import { refuseDeepJson } from './json-depth.http.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of requests that pass Nest: when they were begun, ms of a clock that never goes back. */
    begunAt: number;
  }
}

export interface FastLaneOptions extends RequestLimitOptions {
  readonly service: string;
  readonly keys: KeyRing;
  readonly intake: Intake;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'requestTimes'>;
  readonly bodyLimit: number;
  /** Whether spans are exported: only then they are made. */
  readonly traced: boolean;
}

/** The route has words of its own for these. */
const UNREADABLE = new Set(['BODY_NOT_JSON', 'BODY_TOO_DEEP']);
const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Answers some routes past Nest: a second Fastify behind the same port, which does what the platform does for every
 * request, and nothing of what Nest's adapter adds to each. Who may ask, how often, log, metrics and problems are the
 * same functions; an Idempotency-Key means nothing here, since nothing is changed.
 */
export async function openFastLane(
  main: FastifyInstance,
  routes: readonly FastRoute[],
  options: FastLaneOptions,
): Promise<void> {
  if (routes.length === 0) return;
  const lane = fastify({
    logger: false,
    bodyLimit: options.bodyLimit,
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (error, request, reply) =>
      options.problems.answerError(error, request, reply as FastifyReply),
  });
  lane.removeContentTypeParser('text/plain');
  refuseDeepJson(lane);
  lane.decorateRequest('begunAt', 0);
  authenticate(lane, options.keys);
  limitRequests(lane, options);
  traceIf(options.traced, lane, options.service);
  for (const route of routes) addRoute(lane, route, options);
  await lane.ready();
  main.addHook('onClose', () => lane.close());
  divert(main, lane, routes);
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** What goes to none of the routes goes where it went before. */
function divert(main: FastifyInstance, lane: FastifyInstance, routes: readonly FastRoute[]): void {
  const paths = routes.map(({ path }) => path.replaceAll(PARAMETER, '[^/?]+'));
  const isTaken = new RegExp(`^(?:${paths.join('|')})(?:\\?|$)`);
  const [others] = main.server.listeners('request') as Listener[];
  if (!others) throw new Error('The server has no listener yet.');
  main.server.off('request', others);
  main.server.on('request', (request, response) => {
    const takes = request.method === 'POST' && isTaken.test(request.url ?? '');
    if (takes) lane.routing(request, response);
    else others(request, response);
  });
}

const PARAMETER = /\{(\w+)\}/g;

function traceIf(traced: boolean, lane: FastifyInstance, service: string): void {
  if (traced) traceRequests(lane, service, true);
  else lane.decorateRequest('span', undefined);
}

function addRoute(lane: FastifyInstance, route: FastRoute, options: FastLaneOptions): void {
  const { role, environment, answer } = route;
  const { problems, log, metrics, intake } = options;
  const url = route.path.replaceAll(PARAMETER, ':$1');
  const note = noteOf(log, metrics);
  const environmentOf =
    'always' in environment
      ? () => environment.always
      : ({ params }: FastifyRequest) => (params as Record<string, string>)[environment.parameter];
  lane.post(url, {
    config: route.countedAs === undefined ? {} : { countedAs: route.countedAs },
    onRequest(request, _reply, done) {
      request.begunAt = performance.now();
      done();
    },
    handler(request, reply) {
      const caller = authorize(request, role, environmentOf(request));
      if (isRejection(caller)) {
        problems.answerRejection(caller, request, reply);
        return undefined;
      }
      reply.header('content-type', JSON_TYPE);
      return answer({ request, reply, caller });
    },
    // When an answer is ready, not when it is sent: listening for that costs more than all else that is done here.
    onSend(request, reply, payload, done) {
      if (intake.isClosing) reply.header('connection', 'close');
      note(url, request, reply, performance.now() - request.begunAt, true);
      done(null, payload);
    },
    errorHandler(error, request, reply) {
      const { code, message } = failureOf(error);
      if (!UNREADABLE.has(code)) return problems.answerError(error, request, reply);
      const text = route.unreadable(request, message);
      void reply.code(400).header('content-type', JSON_TYPE).send(text);
    },
  });
}
