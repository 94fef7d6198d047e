import type { Facts } from './facts.ts';
import type { Policy } from './policy.ts';
import type { Reason } from './reasons.ts';

/** What a judge says of its policy and facts; `assess` makes the verdict of it. */
export interface Judged {
  readonly reason: Reason;
  /** ln E, and from where on it is a breach; null for judges that do not test. */
  readonly logE: number | null;
  readonly threshold: number | null;
  /** Of the verdict's `evidence`: what people need to see of it. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Why it holds, without the guard's name; empty if it does not. */
  readonly why: string;
  /** What was counted, in numbers; empty if nothing was. */
  readonly counts: string;
}

/** The first kind of missing data that applies; undefined if the data are there. The order is the policy. */
export function lackOf({ maxAgeMs }: Policy, { missing, ageMs }: Facts): Reason | undefined {
  if (missing !== null) return missing.kind;
  if (ageMs === null) return 'not-read';
  return ageMs > maxAgeMs ? 'stale' : undefined;
}
