export const migrationErrorCodes = [
  'MIGRATION_TARGET_UNKNOWN', // thrown when no database of that name is configured; not retryable
  'MIGRATION_TARGET_UNREACHABLE', // thrown when the database is busy, away or full; retryable
  'MIGRATION_TARGET_FAILED', // thrown when the database refused a query, e.g. an unknown table or field; not retryable
  'MIGRATION_FILE_INVALID', // thrown when a file in the migrations folder is no usable migration; not retryable
] as const;
export type MigrationErrorCode = (typeof migrationErrorCodes)[number];
