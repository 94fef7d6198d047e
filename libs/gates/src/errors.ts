export const gateErrorCodes = [
  'GATE_SHARE_MISSING', // thrown when a stage is judged whose shares were not pinned at the start; not retryable
] as const;
export type GateErrorCode = (typeof gateErrorCodes)[number];
