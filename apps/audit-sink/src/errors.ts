const auditErrorCodes = [
  'AUDIT_LOG_MOVED_ON', // thrown when another writer has appended where this one was about to; retryable
  'AUDIT_STORE_BEHIND', // thrown when the archive holds more than the stored log: an older backup was put back; not retryable
  'AUDIT_NOT_WRITING', // thrown when what only the writer of the log may do is asked of another; retryable
  'AUDIT_LOG_DAMAGED', // thrown when the stored log has a hole or an entry that is not ours; not retryable
  'AUDIT_KEY_INVALID', // thrown when the signing key cannot be read or is not an Ed25519 private key; not retryable
  'AUDIT_ARCHIVE_DIFFERS', // thrown when a file of the archive is there with another content, or does not prove what its seals say; not retryable
  'AUDIT_ARCHIVE_FAILED', // thrown when the archive's folder refuses to be read or written; retryable
] as const;
export type AuditErrorCode = (typeof auditErrorCodes)[number];
