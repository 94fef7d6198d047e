export const flagServiceErrorCodes = [
  'FLAG_STORE_BEHIND', // thrown when the bus holds a newer state of a flag than the store: an older backup was put back; not retryable
  'FLAG_NOT_RECOVERED', // thrown while what a restored store lost is not yet taken over from the bus; retryable
  'ADOPTION_UNREACHABLE', // thrown while what was evaluated cannot be read, since Redis is away; retryable
  'FLAG_HISTORY_BEHIND', // thrown when a deleted flag is to be restored and the history does not yet tell of its deletion; retryable
] as const;
