/** Why a target gave no reading: values, not exceptions, so one dead target never hides the others. */
export const readFailures = [
  'unreachable', // no connection, or it broke before the answer was complete
  'timeout', // no complete answer in time
  'bad-status', // answered, but not with 2xx
  'unparsable', // answered with something that is not the Prometheus text format, or only with a part of it
  'too-large', // the answer is larger than the cap
  'query-failed', // the source says that it cannot answer, or only in part; the message has its words
  'clock-skew', // its clock and ours differ too much for an instant to mean the same
  'not-allowed', // an address that is never asked: not http(s), with credentials in it, or none at all
] as const;
export type ReadFailure = (typeof readFailures)[number];
