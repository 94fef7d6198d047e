import { AppError, causeOf } from '@tidegate/kernel';
import { POLL_SECONDS_HEADER } from '@tidegate/contracts';
import type { SdkErrorCode } from './errors.ts';
import type { Settings } from './options.ts';

export type Endpoint = Pick<Settings, 'url' | 'environment' | 'key' | 'idleTimeoutMs'>;

/** What a server asked for may tell a client to do before it asks again. */
export interface Advice {
  readonly status?: number;
  /** Not sooner. */
  readonly retryAfterMs?: number;
  /** Meanwhile the snapshot is to be polled so often. */
  readonly pollEveryMs?: number;
}

/** Nothing that a server says makes a client wait for longer. */
const LONGEST_ADVICE_S = 300;

/** GET of something below the environment. Rejects with SDK_UNREACHABLE, or with what aborted the signal. */
export async function get(
  { url, environment, key }: Endpoint,
  path: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(`${url}/v1/environments/${environment}/${path}`, {
      headers: { authorization: `Bearer ${key}`, ...headers },
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw unreachable(url, error);
  }
}

export const unreachable = (url: string, error: unknown): AppError<SdkErrorCode> =>
  new AppError('SDK_UNREACHABLE', `flag-service at ${url} cannot be reached: ${causeOf(error)}`, {
    retryable: true,
    cause: error,
  });

/** What is wrong, by status; it stays so until somebody changes it. */
const REFUSALS: Readonly<Record<number, (environment: string) => string>> = {
  401: () => 'does not know the key',
  403: (environment) => `does not allow the key to read the environment "${environment}"`,
  404: (environment) => `has no environment "${environment}"`,
};

export const isRefusal = (status: number): boolean => Object.hasOwn(REFUSALS, status);

/** SDK_REFUSED, SDK_STREAMS_FULL or SDK_UNAVAILABLE, with an `Advice` as its data. Ends the response. */
export async function refused(
  { status, headers, body }: Response,
  { environment }: Endpoint,
  wanted: string,
): Promise<AppError<SdkErrorCode>> {
  await body?.cancel();
  const refusal = REFUSALS[status]?.(environment);
  if (refusal !== undefined)
    return new AppError('SDK_REFUSED', `flag-service ${refusal} (${status}).`, {
      data: { status },
    });
  const advice = adviceOf(status, headers);
  const options = { retryable: true, data: { ...advice } };
  if (advice.pollEveryMs !== undefined)
    return new AppError(
      'SDK_STREAMS_FULL',
      `flag-service takes no more streams now (${status}): its snapshot is polled every ${advice.pollEveryMs} ms.`,
      options,
    );
  const type = headers.get('content-type') ?? 'no content type';
  return new AppError(
    'SDK_UNAVAILABLE',
    `flag-service answered with status ${status} (${type}) and no ${wanted}.`,
    options,
  );
}

function adviceOf(status: number, headers: Headers): Advice {
  if (status !== 429 && status !== 503) return { status };
  const retryAfterMs = milliseconds(headers.get('retry-after'));
  const pollEveryMs = milliseconds(headers.get(POLL_SECONDS_HEADER));
  return {
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(pollEveryMs === undefined ? {} : { pollEveryMs }),
  };
}

function milliseconds(seconds: string | null): number | undefined {
  if (seconds === null || !/^\d{1,9}$/.test(seconds)) return undefined;
  return Math.min(Math.max(Number(seconds), 1), LONGEST_ADVICE_S) * 1_000;
}
