import { AppError, isRejection } from '@tidegate/kernel';
import { createParser } from 'eventsource-parser';
import type { SdkErrorCode } from './errors.ts';
import { lifelineOf } from './lifeline.loop.ts';
import { type Endpoint, get, refused } from './request.http.ts';
import { readStreamEvent, type StreamEvent } from './stream-event.ts';

/** A snapshot of more text than this is no snapshot. */
export const MAX_SNAPSHOT_CHARACTERS = 64 * 1024 * 1024;

/**
 * One connection, from its request to its end: hands over every event, in order, and never resolves.
 * Rejects with SDK_UNREACHABLE, SDK_REFUSED, SDK_STREAMS_FULL, SDK_UNAVAILABLE, SDK_STREAM_ENDED, SDK_STREAM_SILENT
 * or SDK_MESSAGE_INVALID, or with the signal's reason.
 */
export async function readStream(
  endpoint: Endpoint,
  digest: string | undefined,
  signal: AbortSignal,
  onEvent: (event: StreamEvent) => void,
): Promise<never> {
  const { idleTimeoutMs } = endpoint;
  const lifeline = lifelineOf(signal, idleTimeoutMs, () => silent(idleTimeoutMs));
  try {
    const body = await connect(endpoint, digest, lifeline.signal);
    const parser = createParser({
      maxBufferSize: MAX_SNAPSHOT_CHARACTERS,
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
  endpoint: Endpoint,
  digest: string | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const query = digest === undefined ? '' : `?digest=${encodeURIComponent(digest)}`;
  const response = await get(endpoint, `stream${query}`, { accept: 'text/event-stream' }, signal);
  const type = response.headers.get('content-type') ?? '';
  if (response.status === 200 && type.startsWith('text/event-stream') && response.body)
    return response.body;
  throw await refused(response, endpoint, 'stream');
}

const silent = (idleTimeoutMs: number): AppError<SdkErrorCode> =>
  new AppError('SDK_STREAM_SILENT', `Nothing was heard on the stream for ${idleTimeoutMs} ms.`, {
    retryable: true,
  });
