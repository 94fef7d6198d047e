import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { isRejection, type Rejection } from '@tidegate/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { currentTraceId } from '../telemetry/trace.ts';
import { failureOf } from './failure.http.ts';
import { type Failure, type Problem, problemOf, refusal, type Statuses } from './problem.ts';

const PROBLEM = 'application/problem+json; charset=utf-8';

export interface ProblemOptions {
  readonly statuses: Statuses;
  readonly log: Logger;
  /** Told of every refused key, role or environment, and of everyone who asks too often. */
  readonly onRefused: (code: string, request: FastifyRequest) => void;
}

/** Answers failures as RFC 9457 problems; logs once what is the service's own fault. */
export class Problems {
  readonly #options: ProblemOptions;

  constructor(options: ProblemOptions) {
    this.#options = options;
  }

  /** Sets status and headers and gives the body. */
  prepare(
    failure: Failure,
    request: FastifyRequest,
    reply: FastifyReply,
    cause?: unknown,
  ): Problem {
    const { statuses, log, onRefused } = this.#options;
    const problem = problemOf(failure, statuses, currentTraceId());
    const fields = { code: failure.code, method: request.method, route: request.routeOptions.url };
    if (problem.status === 503)
      log.warn({ ...fields, reason: failure.message }, 'a request has to be repeated');
    else if (problem.status >= 500) log.error({ ...fields, err: cause }, 'a request failed');
    if (problem.code.startsWith('AUTH_') || problem.code === 'RATE_LIMITED')
      onRefused(problem.code, request);
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
    if (problem.status === 503) reply.header('retry-after', '1');
    reply.code(problem.status).header('content-type', PROBLEM);
    return problem;
  }

  /** Answers what was thrown, by a handler or by Fastify itself. */
  answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const problem = this.prepare(failureOf(error), request, reply, error);
    void reply.send(JSON.stringify(problem));
  }

  /** Answers in place of a handler that has not run. */
  answerRejection(rejection: Rejection, request: FastifyRequest, reply: FastifyReply): void {
    void reply.send(JSON.stringify(this.prepare(refusal(rejection), request, reply)));
  }

  /** A handler, also of a raw route, may return a Rejection. */
  answerRejections(server: FastifyInstance): void {
    server.addHook('preSerialization', (request, reply, payload, done) => {
      done(null, isRejection(payload) ? this.prepare(refusal(payload), request, reply) : payload);
    });
  }
}

/** Answers what a handler has thrown; what broke off after its head was sent is cut. */
export function problemFilter(problems: Problems, log: Logger): ExceptionFilter {
  @Catch()
  class ProblemFilter implements ExceptionFilter {
    catch(error: unknown, host: ArgumentsHost): void {
      const http = host.switchToHttp();
      const request = http.getRequest<FastifyRequest>();
      const reply = http.getResponse<FastifyReply>();
      if (reply.sent || reply.raw.headersSent) {
        log.error({ err: error, route: request.routeOptions.url }, 'an answer broke off');
        reply.raw.destroy();
        return;
      }
      problems.answerError(error, request, reply);
    }
  }
  return new ProblemFilter();
}
