export const flagServiceErrorCodes = [
  'FLAG_STORE_BEHIND', // thrown when the bus holds a newer state of a flag than the store: an older backup was put back; not retryable
] as const;
