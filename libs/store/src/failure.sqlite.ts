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

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

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
  if (cause instanceof Error && 'code' in cause && cause.code === CLOSED)
    return new AppError('STORE_UNREACHABLE', 'The store is closed.', { cause, retryable: true });
  return new AppError('STORE_FAILED', `The store failed: ${messageOf(cause)}`, { cause });
}
