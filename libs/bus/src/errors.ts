import { AppError, messageOf } from '@tidegate/kernel';

export const busErrorCodes = [
  'BUS_UNREACHABLE', // thrown when the log takes or gives no records now: no broker answers, the disk is full; retryable
  'BUS_IN_USE', // thrown when another process has the bus file; not retryable
  'BUS_FORMAT_UNKNOWN', // thrown when the bus file was written by a newer release, or by something else; not retryable
  'BUS_TOPIC_UNKNOWN', // thrown when a topic is not in the catalogue; not retryable
  'BUS_TYPE_UNKNOWN', // thrown when a message type is not in the catalogue; not retryable
  'BUS_MESSAGE_TOO_LARGE', // thrown when an encoded message is over MAX_MESSAGE_BYTES; not retryable
  'BUS_GROUP_IN_USE', // thrown when a group has its one member already; not retryable
  'BUS_HANDLER_INVALID', // thrown when a Nest handler cannot be served by a bus; not retryable
  'BUS_DEAD_LETTER_UNKNOWN', // thrown when no dead letter has the id; not retryable
  'BUS_CLOSED', // thrown when the bus is used after close; not retryable
  'BUS_FAILED', // thrown when the driver failed in a way we have no name for; not retryable
] as const;
export type BusErrorCode = (typeof busErrorCodes)[number];

export const busError = (
  code: BusErrorCode,
  message: string,
  options: { cause?: unknown; data?: Record<string, unknown> } = {},
): AppError<BusErrorCode> =>
  new AppError(code, message, { ...options, retryable: code === 'BUS_UNREACHABLE' });

/** Names what a driver or a handler threw; total. */
export const asBusError = (error: unknown): AppError =>
  error instanceof AppError ? error : busError('BUS_FAILED', messageOf(error), { cause: error });

/** A cluster that is away is waited for, one that refuses the topics is not. */
export function unlessAway(error: unknown): void {
  if (asBusError(error).code !== 'BUS_UNREACHABLE') throw error;
}
