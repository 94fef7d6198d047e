import { AppError, isAppError, messageOf } from '@tidegate/kernel';
import { nameMongoFailure } from '@tidegate/store';
import type { MigrationErrorCode } from '../errors.ts';

/** Codes of the server (mongodb.com/docs/manual/reference/error-codes), and of Atlas. */
const DENIED = new Set<unknown>([13, 18, 8000]);

/** Of a command that a server does not have, or not for this user, or not without replicas. */
const UNTOLD = new Set<unknown>([13, 59, 76, 115, 238, 8000]);

/** What one document is refused for. */
const REFUSED = new Set<unknown>([
  2, // BadValue
  14, // TypeMismatch
  28, // PathNotViable
  52, // DollarPrefixedFieldName
  56, // EmptyFieldName
  57, // DottedFieldName
  66, // ImmutableField
  121, // DocumentValidationFailure
  10334, // BSONObjectTooLarge
  11000, // DuplicateKey
  17280, // KeyTooLong
  17419, // the document after an update is too large
  17420, // the document after an upsert is too large
]);

const property = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;

export const isUntold = (error: unknown): boolean => UNTOLD.has(property(error, 'code'));

/** Whether one of the documents is to blame; FerretDB 1.24 tells so of a unique index in words alone. */
export function isRefusal(error: unknown): boolean {
  const message = messageOf(error);
  return (
    REFUSED.has(property(error, 'code')) ||
    message.includes('constraint failed') ||
    message.includes('larger than the maximum size')
  );
}

/** Names what the driver threw; total, and without the credentials of a URL. */
export function named(error: unknown): AppError<MigrationErrorCode> {
  if (isAppError(error)) return error as AppError<MigrationErrorCode>;
  const code = property(error, 'code');
  const message = messageOf(error).replaceAll(/\/\/[^/@\s]*@/g, '//…@');
  const options = { cause: error };
  if (DENIED.has(code))
    return new AppError('MIGRATION_TARGET_DENIED', `The database denied it: ${message}`, options);
  const isSlow = property(error, 'name') === 'MongoOperationTimeoutError';
  return isSlow || nameMongoFailure(error).retryable
    ? new AppError('MIGRATION_TARGET_UNREACHABLE', `The database does not work now: ${message}`, {
        ...options,
        retryable: true,
      })
    : new AppError('MIGRATION_TARGET_FAILED', `The database refused: ${message}`, options);
}
