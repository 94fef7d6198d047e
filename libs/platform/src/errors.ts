export const platformErrorCodes = [
  'CONFIG_INVALID', // thrown when options are missing or wrong; the message names all of them; not retryable
  'PLATFORM_PORT_IN_USE', // thrown when another program has the port; not retryable
  'PLATFORM_STOP_TIMED_OUT', // thrown when a step of the shutdown took longer than the grace period; not retryable
  'REQUEST_INVALID', // thrown when a body, query or path does not have the form that the route promises
  'REQUEST_MALFORMED', // thrown when a request cannot be read at all
  'BODY_NOT_JSON', // thrown when a body is not the JSON it says it is
  'BODY_TOO_LARGE', // thrown when a body is over HTTP_BODY_LIMIT_BYTES
  'BODY_TOO_DEEP', // thrown when a body nests objects and lists deeper than 64 levels
  'BODY_TYPE_UNSUPPORTED', // thrown when a route does not take the body's media type
  'ROUTE_UNKNOWN', // thrown when there is no such route
  'IDEMPOTENCY_KEY_MALFORMED', // thrown when the header Idempotency-Key is not 1 to 200 printable characters
  'IDEMPOTENCY_KEY_REUSED', // answered when an Idempotency-Key was used for another request within a day
  'IF_MATCH_MALFORMED', // thrown when the header If-Match is not one ETag of ours
  'RATE_LIMITED', // answered when a caller asks more often than RATE_LIMIT_…_PER_MINUTE; Retry-After says when to come back
  'IF_MATCH_STALE', // thrown when If-Match is of an epoch before the store was restored
] as const;
export type PlatformErrorCode = (typeof platformErrorCodes)[number];

export const authCodes = [
  'AUTH_KEY_MISSING',
  'AUTH_KEY_UNKNOWN',
  'AUTH_ROLE_TOO_LOW',
  'AUTH_ENVIRONMENT_FORBIDDEN',
  'AUTH_ROUTE_UNDECLARED', // a route without @RequireRole or @Public: nobody may use it
] as const;
export type AuthCode = (typeof authCodes)[number];
