import { AppError, isAppError, isRejection } from '@tidegate/kernel';
import { lifelineOf } from './lifeline.loop.ts';
import { readSnapshotText, type ReadStates } from './read-snapshot.ts';
import { type Endpoint, get, refused, unreachable } from './request.http.ts';
import { MAX_SNAPSHOT_CHARACTERS } from './stream.sse.ts';

/**
 * The snapshot, once; nothing in it if `digest` is the server's, too. Rejects with SDK_UNREACHABLE, SDK_REFUSED,
 * SDK_UNAVAILABLE or SDK_MESSAGE_INVALID, or with the signal's reason.
 */
export async function pollSnapshot(
  endpoint: Endpoint,
  digest: string | undefined,
  signal: AbortSignal,
): Promise<ReadStates> {
  const { url, idleTimeoutMs } = endpoint;
  const lifeline = lifelineOf(signal, idleTimeoutMs, () =>
    unreachable(url, new Error(`nothing came for ${idleTimeoutMs} ms`)),
  );
  try {
    const headers = {
      accept: 'application/json',
      ...(digest === undefined ? {} : { 'if-none-match': `"${digest}"` }),
    };
    const response = await get(endpoint, 'snapshot', headers, lifeline.signal);
    if (response.status === 304) {
      await response.body?.cancel();
      return { states: [], problems: [] };
    }
    if (response.status !== 200) throw await refused(response, endpoint, 'snapshot');
    return readable(await textOf(response, lifeline.heard));
  } catch (error) {
    if (lifeline.signal.aborted) throw lifeline.signal.reason;
    throw isAppError(error) ? error : unreachable(url, error);
  } finally {
    lifeline.stop();
  }
}

async function textOf({ body }: Response, heard: () => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    heard();
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_SNAPSHOT_CHARACTERS)
      throw new AppError('SDK_MESSAGE_INVALID', 'The snapshot has no end.');
  }
  return text + decoder.decode();
}

function readable(text: string): ReadStates {
  const read = readSnapshotText(text, 'The snapshot');
  if (isRejection(read)) throw new AppError('SDK_MESSAGE_INVALID', read.message);
  return read;
}
