import { AppError, isAppError, messageOf } from '@tidegate/kernel';
import type { StoreErrorCode } from './errors.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html) after which the same call may work later. */
const TRANSIENT: Readonly<Record<number, string>> = {
  5: 'the file is locked',
  6: 'a table is locked',
  7: 'there is no memory left',
  8: 'the file is read-only',
  10: 'the disk failed to read or write',
  13: 'the disk is full',
  14: 'the file cannot be opened',
};

const BUSY = 5;
const CLOSED = 'ERR_INVALID_STATE';

/** A property of whatever was thrown; not `instanceof Error`, which fails for errors of another realm. */
const property = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;

function primaryCode(error: unknown): number | undefined {
  const code = property(error, 'errcode');
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** The system call that failed, if that is what was thrown. */
export const failedCall = (error: unknown): unknown => property(error, 'syscall');

export const isBusy = (error: unknown): boolean => primaryCode(error) === BUSY;

/** True if nothing that stands in the same transaction can be trusted to be written. */
export const spoilsTransaction = (error: unknown): boolean => {
  const code = primaryCode(error);
  return code !== undefined && code in TRANSIENT;
};

/** Names what the driver threw; total. An AppError passes; what is unknown is STORE_FAILED and not retryable. */
export function nameFailure(cause: unknown): AppError<StoreErrorCode> {
  if (isAppError(cause)) return cause as AppError<StoreErrorCode>;
  const code = primaryCode(cause);
  const transient = code === undefined ? undefined : TRANSIENT[code];
  if (transient !== undefined)
    return new AppError('STORE_UNREACHABLE', `The store cannot be used now: ${transient}.`, {
      cause,
      retryable: true,
      data: { sqlite: code },
    });
  if (property(cause, 'code') === CLOSED)
    return new AppError('STORE_UNREACHABLE', 'The store is closed.', { cause, retryable: true });
  return new AppError('STORE_FAILED', `The store failed: ${messageOf(cause)}`, { cause });
}
