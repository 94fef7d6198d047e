/** What the module makes and the controllers are given. */
export const PLACE_ORDER = Symbol('PLACE_ORDER');
export const PAY = Symbol('PAY');
export const FAULTS = Symbol('FAULTS');
export const METRICS = Symbol('METRICS');
