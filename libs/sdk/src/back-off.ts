/**
 * Wait before attempt `attempt` (0 for the first): between half and all of first × 2^attempt, at most
 * `longestMs`. The jitter keeps clients that lost the same server from coming back at the same moment.
 * @param random uniform in [0, 1)
 */
export const backOff = (
  attempt: number,
  random: number,
  { firstRetryMs, longestRetryMs }: { firstRetryMs: number; longestRetryMs: number },
): number => Math.min(longestRetryMs, firstRetryMs * 2 ** attempt) * (0.5 + random / 2);
