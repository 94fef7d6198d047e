import type { Selector } from '@tidegate/contracts';
import type { ReadFailure } from './failures.ts';

/** What is wanted from one target: names of metrics as they stand in its text, e.g. `http_requests_total`. */
export interface ReadRequest {
  readonly target: string;
  readonly metrics: readonly string[];
  /**
   * Which series of them: what is left out may be missing in the reading, or not. Metrics without a selector are read
   * whole, which a source with many targets behind it may refuse as too large.
   */
  readonly selectors?: readonly Selector[];
  /** Expressions to be evaluated as they stand, by a source that can: PromQL of a Prometheus. */
  readonly queries?: readonly string[];
  /** Names of alerting rules of which it is wanted whether the source has them. */
  readonly rules?: readonly string[];
}

/** What an expression gave at one instant. */
export interface QueryPoint {
  readonly labels: Readonly<Record<string, string>>;
  /** May be NaN or infinite. */
  readonly value: number;
  /** Of the evaluation, ms since 1970: an expression has no other. */
  readonly at: number;
}
/** A failure of one expression leaves the rest of the reading as it is. */
export type QueryAnswer =
  | { readonly points: readonly QueryPoint[] }
  | { readonly failure: ReadFailure; readonly message: string };

/** One series at one instant, as the target gave it: never a rate, never an average. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Name and labels in one order, unique within a reading: `seriesKey`. */
  readonly series: string;
  /** May be NaN or infinite: judging that is the reader's. */
  readonly value: number;
  /** Of the scrape, or the target's own timestamp where it gives one; ms since 1970. */
  readonly at: number;
}

export type Reading = TakenReading | FailedReading;

export interface TakenReading {
  readonly outcome: 'taken';
  readonly target: string;
  /**
   * Of what instant the samples tell, ms since 1970: when the target was asked, or the newest sample of a source that
   * scrapes by itself. The same scrape always has the same one.
   */
  readonly at: number;
  /** All series of the metrics that were asked for, by metric, each metric's in the order of the target's text. */
  readonly samples: readonly Sample[];
  /** Metrics asked for that the target declares, also those without a series yet. */
  readonly declared: readonly string[];
  /** By expression, each of those asked for. */
  readonly answers?: Readonly<Record<string, QueryAnswer>>;
  /** Of the alerting rules asked for, those that the source has and evaluates: only their silence means something. */
  readonly rules?: readonly string[];
  /** Of the alerting rules asked for, why one that is not in `rules` is not, where more is known than that it is not there. */
  readonly ruleFailures?: Readonly<Record<string, string>>;
  /** Targets behind the source that had what was asked for and can no longer be scraped. */
  readonly down?: readonly { readonly job: string; readonly instance: string }[];
  /** A sentence about what belongs into this reading and is not in it; absent if nothing. What is there counts. */
  readonly lacks?: string;
  /** The same for each selector of which something is missing, of a source that can tell: the others lack nothing. */
  readonly lacking?: readonly { readonly selector: Selector; readonly message: string }[];
  /** Selectors that could not be read while others could: what is there of their metrics is not all. */
  readonly unread?: readonly UnreadSelector[];
}

export interface UnreadSelector {
  readonly selector: Selector;
  readonly failure: ReadFailure;
  /** A sentence that names the target. */
  readonly message: string;
}

export interface FailedReading {
  readonly outcome: 'failed';
  readonly target: string;
  readonly at: number;
  readonly failure: ReadFailure;
  /** A sentence that names the target. */
  readonly message: string;
}

/** Reads raw counters. A target that cannot be read is a value: `read` rejects only where the program is wrong. */
export interface MetricsSource {
  /**
   * One reading per target, in the order in which the targets first stand in `requests`; requests for the same target
   * are one request to it, and callers that ask at about the same time share it.
   * @param at the instant that is wanted, ms since 1970; each reading says at which it was taken.
   */
  read(requests: readonly ReadRequest[], at: number): Promise<readonly Reading[]>;
}
