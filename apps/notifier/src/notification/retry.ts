/** Waits after each failed attempt, ms; the attempt after the last one is not made. */
export const retryWaitsMs = [
  1_000, 5_000, 30_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000,
] as const;

/**
 * When to try again after the given attempt (from 1); undefined: give up. The receiver's Retry-After is obeyed,
 * bounded by the longest wait. `random` in [0, 1) spreads receivers that failed together by up to a fifth.
 */
export function nextAttemptAfter(
  attempt: number,
  random: number,
  retryAfterMs?: number,
): number | undefined {
  const wait = retryWaitsMs[attempt - 1];
  if (wait === undefined) return undefined;
  const asked = Math.min(retryAfterMs ?? 0, retryWaitsMs.at(-1) ?? 0);
  return Math.round(Math.max(wait, asked) * (1 + random / 5));
}
