export const NOTIFY = Symbol('notify');
export const ROUTES = Symbol('routes');
