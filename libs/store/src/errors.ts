export const storeErrorCodes = [
  'STORE_UNREACHABLE', // thrown when no server answered in time, or the disk refuses to be written; retryable
  'STORE_VERSION_CONFLICT', // thrown when another writer saved first; retryable, from load on
  'STORE_DOCUMENT_TOO_LARGE', // thrown when a document or message is over its limit; not retryable
  'STORE_MISSING', // thrown when there is no store where one must be; not retryable
  'STORE_IN_USE', // thrown when another process has the data folder; not retryable
  'STORE_SCHEMA_NEWER', // thrown when data was written by a newer release; not retryable
  'STORE_FAILED', // thrown when the driver failed in a way we have no name for; not retryable
] as const;
export type StoreErrorCode = (typeof storeErrorCodes)[number];
