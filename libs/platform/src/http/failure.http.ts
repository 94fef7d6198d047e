import { HttpException } from '@nestjs/common';
import { AppError, messageOf } from '@tidegate/kernel';
import type { PlatformErrorCode } from '../errors.ts';
import type { Failure, ProblemDetail } from './problem.ts';

const FASTIFY: Readonly<Record<string, readonly [PlatformErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: ['BODY_NOT_JSON', 'The body is not valid JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['BODY_NOT_JSON', 'The body is empty, but is said to be JSON.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'The body is larger than this service takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['BODY_TYPE_UNSUPPORTED', 'This media type is not taken here.'],
  FST_ERR_BAD_URL: ['REQUEST_MALFORMED', 'The path cannot be decoded.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'REQUEST_MALFORMED',
    'The body is not as long as Content-Length says.',
  ],
};

const BY_STATUS: Readonly<Record<number, readonly [PlatformErrorCode, string]>> = {
  400: ['REQUEST_MALFORMED', 'The request cannot be read.'],
  404: ['ROUTE_UNKNOWN', 'There is no such route.'],
  413: ['BODY_TOO_LARGE', 'The body is larger than this service takes.'],
  414: ['REQUEST_MALFORMED', 'A part of the path is too long.'],
  415: ['BODY_TYPE_UNSUPPORTED', 'This media type is not taken here.'],
};

/** Names whatever a route has thrown; total. What has no name is INTERNAL. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AppError) return fromAppError(error);
  const known = FASTIFY[codeOf(error) ?? ''] ?? byStatus(error);
  if (known) return { kind: 'failed', code: known[0], message: known[1] };
  return { kind: 'failed', code: 'INTERNAL', message: messageOf(error) };
}

function fromAppError({ code, message, data }: AppError): Failure {
  const errors = code === 'REQUEST_INVALID' ? (data['errors'] as ProblemDetail[]) : undefined;
  return { kind: 'failed', code, message, ...(errors === undefined ? {} : { errors }) };
}

/** Nest wraps what Fastify throws; the cause still has Fastify's code. */
function codeOf(error: unknown): string | undefined {
  const inner = error instanceof HttpException ? error.cause : error;
  const code = inner instanceof Error && 'code' in inner ? inner.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

function byStatus(error: unknown): readonly [PlatformErrorCode, string] | undefined {
  if (error instanceof HttpException) return BY_STATUS[error.getStatus()];
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  // A malformed JSON body reaches us as Node's SyntaxError with the status that Fastify set.
  if (error instanceof SyntaxError && status === 400)
    return FASTIFY['FST_ERR_CTP_INVALID_JSON_BODY'];
  return typeof status === 'number' ? BY_STATUS[status] : undefined;
}
