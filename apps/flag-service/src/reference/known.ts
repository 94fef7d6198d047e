import type { FlagRecord, SegmentRecord } from '@tidegate/contracts';

/** Who refers to a flag or a segment, by key, in order. */
export interface Users {
  readonly flags: readonly string[];
  readonly segments: readonly string[];
}

/** What the rules must know of other documents to decide on one command. */
export interface Known {
  /** Every flag that the definition reaches by prerequisites; what is not in here does not exist. */
  readonly flags: ReadonlyMap<string, FlagRecord>;
  /** Every segment that it reaches. */
  readonly segments: ReadonlyMap<string, SegmentRecord>;
  /** Of what the command is about. */
  readonly users: Users;
  /** Its variants that flags which have it as a prerequisite wait for, with the keys of those. */
  readonly awaited: ReadonlyMap<string, readonly string[]>;
  /** How many of its kind the environment has already. */
  readonly count: number;
}

/** Enough for a command that concerns no other document: then nothing can be referred to. */
export const NOTHING: Known = {
  flags: new Map(),
  segments: new Map(),
  users: { flags: [], segments: [] },
  awaited: new Map(),
  count: 0,
};

/** More than these a definition may not reach, directly and through others. */
export const MAX_REACHED = 100;
