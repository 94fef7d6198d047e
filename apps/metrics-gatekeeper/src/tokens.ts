/** What the module gives to controllers and consumers. */
export const PLANS = Symbol('Plans');
export const ROLLOUTS = Symbol('Rollouts');
export const ROLLOUT_QUERIES = Symbol('RolloutQueries');
export const HISTORY = Symbol('History');
export const SIGNALS = Symbol('Signals');
export const ALERTS = Symbol('Alerts');
export const REHEARSALS = Symbol('Rehearsals');
export const READ_RANGE = Symbol('ReadRange');
export const FEASIBILITY = Symbol('Feasibility');
export const GUARD_RECORDS = Symbol('GuardRecords');
