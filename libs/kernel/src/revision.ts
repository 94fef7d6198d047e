/**
 * Orders the states of one document everywhere: first by the store's epoch, which an operator raises
 * when an older backup was restored, then by the document's version, which each change raises by one.
 */
export interface Revision {
  readonly epoch: number;
  readonly version: number;
}

/** Raised by a rollout's rollback: a command of an older generation comes too late. */
export type Generation = number;

/** True if `a` was made after `b`. */
export const isNewer = (a: Revision, b: Revision): boolean =>
  a.epoch === b.epoch ? a.version > b.version : a.epoch > b.epoch;
