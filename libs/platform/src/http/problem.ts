import type { Rejection } from '@tidegate/kernel';

/** One thing that is wrong with a request: where, and what was expected. */
export interface ProblemDetail {
  /** JSON pointer into the body, e.g. `#/guards/0/limit`. */
  readonly pointer?: string;
  /** Name of the query or path parameter. */
  readonly parameter?: string;
  readonly detail: string;
  readonly expected?: string;
}

/** RFC 9457, with the code that programs act on. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly ProblemDetail[];
  readonly traceId?: string;
}

/** Why a request is not done: a refusal, or an error with its code. */
export interface Failure {
  readonly kind: 'refused' | 'failed';
  readonly code: string;
  readonly message: string;
  readonly errors?: readonly ProblemDetail[];
}

export type Statuses = Readonly<Record<string, number>>;

const PLATFORM: Statuses = {
  REQUEST_INVALID: 400,
  REQUEST_MALFORMED: 400,
  BODY_NOT_JSON: 400,
  BODY_TOO_DEEP: 400,
  BODY_TOO_LARGE: 413,
  BODY_TYPE_UNSUPPORTED: 415,
  ROUTE_UNKNOWN: 404,
  IDEMPOTENCY_KEY_MALFORMED: 400,
  IDEMPOTENCY_KEY_REUSED: 422,
  IF_MATCH_MALFORMED: 400,
  IF_MATCH_STALE: 412,
  AUTH_KEY_MISSING: 401,
  AUTH_KEY_UNKNOWN: 401,
  AUTH_ROLE_TOO_LOW: 403,
  AUTH_ENVIRONMENT_FORBIDDEN: 403,
  AUTH_ROUTE_UNDECLARED: 403,
  COMMAND_EXPIRED: 410,
  RATE_LIMITED: 429,
  STORE_UNREACHABLE: 503,
  BUS_UNREACHABLE: 503,
  STORE_VERSION_CONFLICT: 503,
  STORE_DOCUMENT_TOO_LARGE: 413,
  BUS_MESSAGE_TOO_LARGE: 413,
};

/** What may be said of a failure whose own message may name hosts, files or statements. */
const SAID: Readonly<Record<string, string>> = {
  STORE_UNREACHABLE: 'The store cannot be reached now. Nothing was changed; try again.',
  BUS_UNREACHABLE: 'The bus cannot be reached now. Try again.',
  STORE_VERSION_CONFLICT: 'Others changed the same thing again and again. Try again.',
};

/** The service's own table first, then platform's, then `*_UNKNOWN` 404, a refusal 409, an error 500. */
export function statusOf({ kind, code }: Pick<Failure, 'kind' | 'code'>, own: Statuses): number {
  const named = own[code] ?? PLATFORM[code];
  if (named !== undefined) return named;
  if (code.endsWith('_UNKNOWN')) return 404;
  return kind === 'refused' ? 409 : 500;
}

export const refusal = ({ code, message }: Rejection): Failure => ({
  kind: 'refused',
  code,
  message,
});

/** The answer to a failure. A status of 500 and more says nothing of the inside. */
export function problemOf(failure: Failure, own: Statuses, traceId?: string): Problem {
  const status = statusOf(failure, own);
  const hidden = status >= 500;
  const code = status === 500 ? 'INTERNAL' : failure.code;
  return {
    type: `urn:tidegate:problem:${code}`,
    title: titleOf(code),
    status,
    detail: hidden
      ? (SAID[code] ?? 'Something went wrong here; it is in the log.')
      : failure.message,
    code,
    ...(failure.errors === undefined ? {} : { errors: failure.errors }),
    ...(hidden && traceId !== undefined ? { traceId } : {}),
  };
}

/** FLAG_VERSION_CHANGED → "Flag version changed": the same for every occurrence, as RFC 9457 asks. */
export function titleOf(code: string): string {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
