export const migrationErrorCodes = [
  'MIGRATION_TARGET_UNKNOWN', // thrown when no database of that name is configured; not retryable
  'MIGRATION_TARGET_UNREACHABLE', // thrown when the database is busy, away or full; retryable
  'MIGRATION_TARGET_FAILED', // thrown when the database refused a query, e.g. an unknown table or field; not retryable
  'MIGRATION_FILE_INVALID', // thrown when a file in the migrations folder is no usable migration; not retryable
  'MIGRATION_KEY_UNUSABLE', // thrown when a document has no key to go on from; not retryable
  'MIGRATION_CHANGED', // thrown when the migration's text is not what its run began with; not retryable
  'MIGRATION_NOT_VERIFIED', // thrown when documents are left or samples break an invariant; not retryable
  'MIGRATION_FAILED', // what a run fails with for a reason that has no name; not retryable
] as const;
export type MigrationErrorCode = (typeof migrationErrorCodes)[number];
