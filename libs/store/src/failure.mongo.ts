import { AppError, isAppError, messageOf } from '@tidegate/kernel';
import type { StoreErrorCode } from './errors.ts';

/** Names of the driver's errors after which the same call may work later. */
const UNREACHABLE = new Set([
  'MongoClientClosedError',
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoNotConnectedError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoServerClosedError',
  'MongoServerSelectionError',
  'MongoStalePrimaryError',
  'MongoTopologyClosedError',
  'MongoWaitQueueTimeoutError',
  'MongooseServerSelectionError', // the same, when first connected
  'MongoWriteConcernError', // written, but not yet safe: whoever tries again finds its mark
  'PoolClearedOnNetworkError',
]);

/** Codes of Node's errors that the driver lets through when a connection breaks just as it is used. */
const BROKEN = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_WRITE_AFTER_END',
  'ETIMEDOUT',
]);

/** Codes of the server (mongodb.com/docs/manual/reference/error-codes) after which the same call may work later. */
const TRANSIENT = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  50, // MaxTimeMSExpired
  64, // WriteConcernTimeout
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // UnsatisfiableWriteConcern
  112, // WriteConflict
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  189, // PrimarySteppedDown
  262, // ExceededTimeLimit
  462, // IngressRequestRateLimitExceeded
  9001, // SocketException
  10058, // LegacyNotPrimary
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11602, // InterruptedDueToReplStateChange
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
  14031, // OutOfDiskSpace
]);

const TOO_LARGE = new Set([
  10334, // BSONObjectTooLarge
  17280, // KeyTooLong
  17419, // the document after an update
  17420, // the document after an upsert
]);

const DUPLICATE_KEY = 11_000;

/** A property of whatever was thrown; not `instanceof Error`, which fails for errors of another realm. */
const property = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;

const isOneOf = (set: ReadonlySet<unknown>, value: unknown): boolean => set.has(value);

export const isDuplicateKey = (error: unknown): boolean =>
  property(error, 'code') === DUPLICATE_KEY;

/** The driver wraps the error that broke off a bulk write as if it were an answer of the server. */
const nameOfBrokenBulk = (error: unknown): unknown =>
  property(error, 'name') === 'MongoBulkWriteError'
    ? property(property(error, 'errorResponse'), 'name')
    : undefined;

/** Names what the driver threw; total. An AppError passes; what is unknown is STORE_FAILED and not retryable. */
export function nameFailure(cause: unknown): AppError<StoreErrorCode> {
  if (isAppError(cause)) return cause as AppError<StoreErrorCode>;
  const [name, code] = [property(cause, 'name'), property(cause, 'code')];
  if (isOneOf(TOO_LARGE, code))
    return new AppError(
      'STORE_DOCUMENT_TOO_LARGE',
      'The document is larger than the server takes.',
      {
        cause,
        data: { mongo: code },
      },
    );
  const isGone = isOneOf(UNREACHABLE, name) || isOneOf(UNREACHABLE, nameOfBrokenBulk(cause));
  if (isGone || isOneOf(TRANSIENT, code) || isOneOf(BROKEN, code))
    return new AppError('STORE_UNREACHABLE', `The store cannot be used now: ${messageOf(cause)}`, {
      cause,
      retryable: true,
      ...(typeof code === 'number' ? { data: { mongo: code } } : {}),
    });
  return new AppError('STORE_FAILED', `The store failed: ${messageOf(cause)}`, { cause });
}
