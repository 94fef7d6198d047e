/** Who refers to a flag or a segment, by key, in order. */
export interface Users {
  readonly flags: readonly string[];
  readonly segments: readonly string[];
}

/** What the rules must know of other documents to decide on one command. */
export interface Known {
  /** Every flag that the definition reaches by prerequisites; what is not in here does not exist. */
  readonly flags: ReadonlyMap<string, KnownFlag>;
  /** Every segment that it reaches, with the segments that this one refers to. */
  readonly segments: ReadonlyMap<string, readonly string[]>;
  /** Of what the command is about. */
  readonly users: Users;
  /** How many of its kind the environment has already. */
  readonly count: number;
}

export interface KnownFlag {
  readonly variants: readonly string[];
  readonly prerequisites: readonly string[];
}

/** Enough for a command that concerns no other document: then nothing can be referred to. */
export const NOTHING: Known = {
  flags: new Map(),
  segments: new Map(),
  users: { flags: [], segments: [] },
  count: 0,
};

/** More than these a definition may not reach, directly and through others. */
export const MAX_REACHED = 100;
