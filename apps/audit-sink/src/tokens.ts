export const LOG_READER = Symbol('audit-sink:log-reader');
export const LOG_WRITER = Symbol('audit-sink:log-writer');
export const SEALER = Symbol('audit-sink:sealer');
export const PROOFS = Symbol('audit-sink:proofs');
export const SEAL_HISTORY = Symbol('audit-sink:seal-history');
