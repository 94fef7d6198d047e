/**
 * A broken promise: something that should have worked did not. A refusal is no error (see `Rejection`).
 * `code` is LIB_WHAT from a closed list of its lib; `retryable` says whether the same call may work later;
 * `data` holds what a reader needs to act, and never a secret.
 */
export class AppError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly retryable: boolean;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(
    code: Code,
    message: string,
    options: { cause?: unknown; retryable?: boolean; data?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.data = options.data ?? {};
  }
}

/** True for an AppError, of one code if given. */
export const isAppError = (error: unknown, code?: string): error is AppError =>
  error instanceof AppError && (code === undefined || error.code === code);

/** True if the same call may work later. */
export const isRetryable = (error: unknown): boolean => isAppError(error) && error.retryable;

/** The sentence of any thrown value, also of an error from another realm; total, for logs and answers. */
export function messageOf(error: unknown): string {
  if (!isObject(error)) return String(error);
  try {
    const message = 'message' in error ? error.message : undefined;
    return typeof message === 'string' ? message : Object.prototype.toString.call(error);
  } catch {
    return UNREADABLE;
  }
}

/** Of a proxy, or an object with a getter, that throws when it is asked. */
const UNREADABLE = 'an error that cannot be read';

const DEEPEST_CAUSE = 8;

/**
 * What lies behind an error, as a sentence or code: the innermost cause. `fetch` itself says only "fetch failed",
 * and the failure of several addresses says nothing but its code.
 */
export function causeOf(error: unknown): string {
  let inner = error;
  for (let depth = 0; depth < DEEPEST_CAUSE; depth += 1)
    if (isObject(inner) && 'cause' in inner && inner.cause !== undefined) inner = inner.cause;
  const said = messageOf(inner);
  return said === '' && isObject(inner) && 'code' in inner ? String(inner.code) : said;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
