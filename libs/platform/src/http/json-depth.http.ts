import { AppError, isDeeper, MAX_JSON_DEPTH } from '@tidegate/kernel';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { PlatformErrorCode } from '../errors.ts';

const JSON_TYPE = 'application/json';

/**
 * Reads JSON as Fastify does, but nothing that is nested so deep that whoever walks it runs out of stack. Answered with
 * BODY_TOO_DEEP.
 */
export function refuseDeepJson(server: FastifyInstance): void {
  const read = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser(JSON_TYPE);
  server.addContentTypeParser(
    JSON_TYPE,
    { parseAs: 'string' },
    (request: FastifyRequest, body: string, done) => {
      if (isDeeper(body, MAX_JSON_DEPTH)) done(tooDeep());
      else void read(request, body, done);
    },
  );
}

const tooDeep = (): AppError<PlatformErrorCode> =>
  new AppError(
    'BODY_TOO_DEEP',
    `The body nests objects and lists deeper than ${MAX_JSON_DEPTH} levels.`,
  );
