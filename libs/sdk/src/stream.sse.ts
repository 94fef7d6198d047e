import { AppError, causeOf, isRejection } from '@tidegate/kernel';
import { createParser } from 'eventsource-parser';
import type { SdkErrorCode } from './errors.ts';
import type { Settings } from './options.ts';
import { readStreamEvent, type StreamEvent } from './stream-event.ts';

/** A snapshot of more text than this is no snapshot. */
const MAX_EVENT_CHARACTERS = 64 * 1024 * 1024;

type Endpoint = Pick<Settings, 'url' | 'environment' | 'key' | 'idleTimeoutMs'>;

/**
 * One connection, from its request to its end: hands over every event, in order, and never resolves.
 * Rejects with SDK_UNREACHABLE, SDK_REFUSED, SDK_UNAVAILABLE, SDK_STREAM_ENDED, SDK_STREAM_SILENT or
 * SDK_MESSAGE_INVALID, or with the signal's reason.
 */
export async function readStream(
  endpoint: Endpoint,
  digest: string | undefined,
  signal: AbortSignal,
  onEvent: (event: StreamEvent) => void,
): Promise<never> {
  const lifeline = lifelineOf(signal, endpoint.idleTimeoutMs);
  try {
    const body = await connect(endpoint, digest, lifeline.signal);
    const parser = createParser({
      maxBufferSize: MAX_EVENT_CHARACTERS,
      onEvent({ event, data }) {
        const read = readStreamEvent(event, data);
        if (isRejection(read)) throw new AppError('SDK_MESSAGE_INVALID', read.message);
        if (read.kind !== 'unknown') lifeline.heard();
        onEvent(read);
      },
      onError(error) {
        if (error.type === 'max-buffer-size-exceeded')
          throw new AppError('SDK_MESSAGE_INVALID', 'The stream sent an event without end.');
      },
    });
    const text = new TextDecoder();
    for await (const chunk of body) parser.feed(text.decode(chunk, { stream: true }));
    throw new AppError('SDK_STREAM_ENDED', 'flag-service ended the stream.', { retryable: true });
  } catch (error) {
    throw lifeline.signal.aborted ? lifeline.signal.reason : error;
  } finally {
    lifeline.stop();
  }
}

async function connect(
  { url, environment, key }: Endpoint,
  digest: string | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const query = digest === undefined ? '' : `?digest=${encodeURIComponent(digest)}`;
  const address = `${url}/v1/environments/${environment}/stream${query}`;
  const response = await fetch(address, {
    headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' },
    signal,
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw unreachable(url, error);
  });
  const type = response.headers.get('content-type') ?? 'no content type';
  if (response.status === 200 && type.startsWith('text/event-stream') && response.body)
    return response.body;
  await response.body?.cancel();
  throw refused(response.status, type, environment);
}

const unreachable = (url: string, error: unknown): AppError<SdkErrorCode> =>
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

function refused(status: number, type: string, environment: string): AppError<SdkErrorCode> {
  const refusal = REFUSALS[status]?.(environment);
  return refusal === undefined
    ? new AppError(
        'SDK_UNAVAILABLE',
        `flag-service answered with status ${status} (${type}) and no stream.`,
        { retryable: true, data: { status } },
      )
    : new AppError('SDK_REFUSED', `flag-service ${refusal} (${status}).`, { data: { status } });
}

/**
 * Aborted when `closing` is, or after a silence. Not AbortSignal.any: what it makes of a signal that
 * lives as long as the process may live as long, too.
 */
function lifelineOf(
  closing: AbortSignal,
  idleTimeoutMs: number,
): { readonly signal: AbortSignal; heard(): void; stop(): void } {
  const controller = new AbortController();
  const close = () => {
    controller.abort(closing.reason);
  };
  const timer = setTimeout(() => {
    controller.abort(
      new AppError<SdkErrorCode>(
        'SDK_STREAM_SILENT',
        `Nothing was heard on the stream for ${idleTimeoutMs} ms.`,
        { retryable: true },
      ),
    );
  }, idleTimeoutMs).unref();
  if (closing.aborted) close();
  closing.addEventListener('abort', close);
  return {
    signal: controller.signal,
    heard: () => {
      timer.refresh();
    },
    stop: () => {
      clearTimeout(timer);
      closing.removeEventListener('abort', close);
    },
  };
}
