import type { Counted } from './counted.ts';
import type { Asked } from './last-asked.port.ts';

/** One hour, one application, one variant of a flag. */
export interface HourCount {
  /** Its beginning, ms since 1970. */
  readonly hour: number;
  readonly application: string;
  readonly variant: string;
  readonly count: number;
}

/** A key that is asked for and that no flag has. */
export interface UnknownKey {
  readonly key: string;
  readonly count: number;
  /** ms since 1970 */
  readonly lastAsked: number;
  /** Who asked for it last. */
  readonly application: string;
}

/** What all replicas have counted together. Every call rejects, soon, when the counts cannot be reached. */
export interface AdoptionCounts {
  /** Adds a batch. Rejected, it may have arrived or not. */
  add(environment: string, counted: Counted): Promise<void>;
  /** The counts of the flag in the `hours` hours that end with the one of `now`, the oldest first. Kept for KEPT_HOURS. */
  counts(
    environment: string,
    flag: string,
    range: { readonly hours: number; readonly now: number },
  ): Promise<readonly HourCount[]>;
  asked(environment: string): Promise<Asked>;
  /** The last asked for first; at most MOST_UNKNOWN of them are remembered. */
  unknown(environment: string): Promise<readonly UnknownKey[]>;
}
