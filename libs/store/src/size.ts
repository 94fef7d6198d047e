import { AppError } from '@tidegate/kernel';
import { bytesOf, encode, MAX_MESSAGE_BYTES, type OutgoingMessage } from '@tidegate/contracts';
import type { StoreErrorCode } from './errors.ts';

/** Of a document's state, or of one record of a projection, as JSON in UTF-8. */
const MAX_STATE_BYTES = 8 * 1_048_576;

/** Header names and constants of a message on the wire, and what JSON has less than it: a generous guess. */
const HEADERS = 4_096;

const utf8 = new TextEncoder();

/** The JSON of a state or record. Thrown STORE_DOCUMENT_TOO_LARGE. */
export function stateText(what: string, state: unknown): string {
  const text: string | undefined = JSON.stringify(state);
  if (text === undefined)
    throw new AppError<StoreErrorCode>('STORE_FAILED', `${what} has no state that JSON can hold.`);
  // One UTF-16 unit has at most three bytes in UTF-8: most texts need no counting.
  if (text.length * 3 > MAX_STATE_BYTES) {
    const bytes = utf8.encode(text).length;
    if (bytes > MAX_STATE_BYTES) throw tooLarge(what, bytes, MAX_STATE_BYTES);
  }
  return text;
}

/** The JSON of a message. Thrown STORE_DOCUMENT_TOO_LARGE when the bus would refuse it: now, not when it is sent. */
export function messageText(message: OutgoingMessage): string {
  const text = JSON.stringify(message);
  if ((text.length + HEADERS) * 4 > MAX_MESSAGE_BYTES) {
    const bytes = bytesOf(encode(message));
    if (bytes > MAX_MESSAGE_BYTES)
      throw tooLarge(`${message.type} for ${message.key}`, bytes, MAX_MESSAGE_BYTES);
  }
  return text;
}

const tooLarge = (what: string, bytes: number, limit: number): AppError<StoreErrorCode> =>
  new AppError(
    'STORE_DOCUMENT_TOO_LARGE',
    `${what} has ${bytes} bytes; at most ${limit} can be stored.`,
    { data: { bytes, limit } },
  );
