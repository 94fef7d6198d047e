export const HOUR_MS = 3_600_000;
/** So long counts are kept, hour by hour. */
export const KEPT_HOURS = 48;
/** Applications with variants that are told apart in the counts of one flag in one hour. */
export const MOST_CELLS_OF_FLAG = 2_000;
/** Unknown keys that are remembered in an environment; the one not asked for the longest goes first. */
export const MOST_UNKNOWN = 1_000;
/** Stands for a variant where the caller's default had to do. No variant has such a name. */
export const NO_VARIANT = 'ERROR';

/** Whoever comes with ever new names of applications gets one count for all of them, and not all of our memory. */
export const OTHERS = 'others';

/** How often an application was served a variant of a flag. */
export interface Served {
  readonly application: string;
  readonly flag: string;
  readonly variant: string;
  readonly count: number;
}

/** A key that was asked for and that no flag has. */
export interface Missed {
  readonly application: string;
  readonly key: string;
  readonly count: number;
}

/** What was counted in one environment since the last time; all of it counts as of `at`, ms since 1970. */
export interface Counted {
  readonly at: number;
  readonly served: readonly Served[];
  readonly unknown: readonly Missed[];
  /** Somebody got every flag, and does not tell which of them it uses. */
  readonly fetched: boolean;
}

export const hourOf = (at: number): number => Math.floor(at / HOUR_MS);
