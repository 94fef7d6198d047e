/** Those that are not thrown come to `onError`; the client goes on trying whatever it was told. */
export const sdkErrorCodes = [
  'SDK_OPTIONS_INVALID', // thrown by createTidegate, names every option at fault
  'SDK_NOT_READY', // rejects ready(): no flags came in time, or the client was closed; its cause says why
  'SDK_UNREACHABLE', // reported when flag-service could not be reached
  'SDK_REFUSED', // reported when flag-service does not accept the key (401, 403) or knows no such environment (404)
  'SDK_UNAVAILABLE', // reported when flag-service answered with something else than a stream
  'SDK_STREAM_ENDED', // reported when a stream that worked broke off
  'SDK_STREAM_SILENT', // reported when nothing was heard on a stream for idleTimeoutMs
  'SDK_MESSAGE_INVALID', // reported when a message, or one flag in it, could not be read
  'SDK_HEARTBEAT_FAILED', // reported when flag-service did not take what this instance has applied
  'SDK_BUS_FAILED', // reported when the bus did not give states or take heartbeats; only where flags come over the bus
  'SDK_LISTENER_FAILED', // reported when a listener threw
] as const;
export type SdkErrorCode = (typeof sdkErrorCodes)[number];
