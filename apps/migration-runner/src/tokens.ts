export const RUNS = Symbol('runs');
export const MIGRATIONS = Symbol('migrations');
export const LIST_QUARANTINED = Symbol('list-quarantined');
export const WAKE = Symbol('wake');
export const WAITS = Symbol('waits');
export const ROLLOUT_STANDINGS = Symbol('rollout-standings');
