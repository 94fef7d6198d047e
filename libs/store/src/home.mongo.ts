import type { Calls } from './calls.mongo.ts';

/** What all collections of one store share. */
export interface Home {
  readonly calls: Calls;
  readonly epoch: number;
  /** The next place in the order of debts and arrivals: µs since 1970, greater than any before in this process. */
  readonly place: () => number;
}
