/** Those that are not thrown come to `onError` and `status.lastError`; the client goes on trying whatever it was told. */
export const sdkErrorCodes = [
  'SDK_OPTIONS_INVALID', // thrown by createTidegate, and by decorators; names every option at fault
  'SDK_NOT_READY', // rejects ready(): no flags came in time, or the client was closed; its cause says why
  'SDK_UNREACHABLE', // reported when flag-service could not be reached
  'SDK_REFUSED', // reported when flag-service does not accept the key (401, 403) or knows no such environment (404)
  'SDK_STREAMS_FULL', // reported when flag-service takes no more streams for now, and its snapshot is polled
  'SDK_UNAVAILABLE', // reported when flag-service answered with something else than a stream or a snapshot
  'SDK_STREAM_ENDED', // reported when a stream that worked broke off
  'SDK_STREAM_SILENT', // reported when nothing was heard on a stream for idleTimeoutMs
  'SDK_MESSAGE_INVALID', // reported when a message, or one flag in it, could not be read
  'SDK_HEARTBEAT_FAILED', // reported when flag-service did not take what this instance has applied
  'SDK_BUS_FAILED', // reported when the bus did not give states or take heartbeats; only where flags come over the bus
  'SDK_FILE_FAILED', // reported when the file that flags come from cannot be read or watched; what is held stays
  'SDK_BOOTSTRAP_FAILED', // reported when the flags of an earlier run could not be read or kept
  'SDK_LISTENER_FAILED', // reported when a listener, an observer or a function that gives the context threw, or a handler of onFlagChanged failed and is tried again
  'SDK_CHANGE_GIVEN_UP', // reported when a handler of onFlagChanged has failed too often, or a newer change waits
  'SDK_DUAL_READ_FAILED', // reported when a dual read could not be compared, or its flag gives a mode that there is not
  'SDK_VALIDATOR_FAILED', // reported when the validator of a ModeGuard threw; the request was let pass
] as const;
export type SdkErrorCode = (typeof sdkErrorCodes)[number];
