export const statisticsErrorCodes = [
  'STATISTICS_ARGUMENT', // thrown when an argument is outside its range; not retryable
  'STATISTICS_NO_CONVERGENCE', // thrown when a series does not settle, which no argument in range is known to cause; not retryable
] as const;
export type StatisticsErrorCode = (typeof statisticsErrorCodes)[number];
