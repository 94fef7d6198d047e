export const migrationErrorCodes = [
  'MIGRATION_TARGET_UNKNOWN', // thrown when no database of that name is configured; not retryable
  'MIGRATION_TARGET_UNREACHABLE', // thrown when the database is busy, away or full; retryable
  'MIGRATION_TARGET_DENIED', // thrown when the credentials are wrong or lack a right; not retryable
  'MIGRATION_TARGET_READ_ONLY', // thrown when the server takes no writes; not retryable
  'MIGRATION_TARGET_UNSUPPORTED', // thrown when the server cannot do what the migration asks for; not retryable
  'MIGRATION_TARGET_FAILED', // thrown when the database refused a query, e.g. an unknown table or field; not retryable
  'MIGRATION_KEY_UNUSABLE', // thrown when a document has no key to go on from; not retryable
  'MIGRATION_CHANGED', // thrown when the migration's text is not what was executed before; not retryable
  'MIGRATION_NOT_READY', // thrown when what the action needs first has not been done; not retryable
  'MIGRATION_OVERTAKEN', // thrown when another run has changed documents since a run that is resumed or goes on; not retryable
  'MIGRATION_NOTHING_MATCHED', // thrown when the filter takes no document at all; not retryable
  'MIGRATION_TURNED_BACK', // thrown when sweeps change the same documents again and again; not retryable
  'MIGRATION_NOT_VERIFIED', // thrown when documents are left or samples break an invariant; not retryable
  'MIGRATION_TOO_MANY_ERRORS', // thrown when more documents failed than may be skipped; not retryable
  'MIGRATION_LOAD_CRITICAL', // thrown when the target's load is above what aborts a run; not retryable
  'MIGRATION_BACKUP_FAILED', // thrown when the managed snapshot failed or was refused; retryable when nobody answered
  'MIGRATION_BACKUP_PENDING', // thrown while the managed snapshot is being made; retryable
  'MIGRATION_FAILED', // what a run fails with for a reason that has no name; not retryable
] as const;
export type MigrationErrorCode = (typeof migrationErrorCodes)[number];
