import { AppError, messageOf } from '@tidegate/kernel';

export interface DeliveryPolicy {
  /** Wait before the second attempt; doubles with each further one. */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** So many failures, with the store answering, are tried again; the next one is the last. */
  readonly retries: number;
  /** A partition that has waited longer is reported. */
  readonly lagDeadlineMs: number;
  /** How long a handler may take when its message's definition says nothing. */
  readonly deadlineMs: number;
}

export const defaultPolicy: DeliveryPolicy = {
  firstRetryMs: 100,
  longestRetryMs: 15_000,
  retries: 10,
  lagDeadlineMs: 30_000,
  deadlineMs: 30_000,
};

/** Somebody must know of a kill that does not work while there is still time to act by hand. */
export const killPolicy = (policy: DeliveryPolicy): DeliveryPolicy => ({
  ...policy,
  longestRetryMs: Math.min(policy.longestRetryMs, 1_000),
  retries: Math.min(policy.retries, 3),
  lagDeadlineMs: Math.min(policy.lagDeadlineMs, 1_000),
});

export type FailureReason =
  'undecodable' | 'unknown-version' | 'failed' | 'retries-spent' | 'ended-process';

/** Why a record is given up. */
export interface Failure {
  readonly reason: FailureReason;
  readonly code: string;
  readonly message: string;
}

export interface Attempts {
  /** Failed attempts at this record so far, this one included. */
  readonly failed: number;
  /** Those of them that count against the budget, this one included. */
  readonly counted: number;
  /** Uniform in [0, 1). */
  readonly random: number;
}

export type Next =
  | {
      readonly next: 'retry';
      readonly inMs: number;
      readonly code: string;
    }
  | ({ readonly next: 'dead-letter' } & Failure);

const UNREACHABLE: ReadonlySet<string> = new Set(['STORE_UNREACHABLE', 'BUS_UNREACHABLE']);

/** A store or bus that is away says nothing against the record: such failures never spend its budget. */
export const spendsBudget = (error: unknown): boolean =>
  !(error instanceof AppError && error.retryable && UNREACHABLE.has(error.code));

/** What becomes of a record that its handler rejected. */
export function afterFailure(error: unknown, attempts: Attempts, policy: DeliveryPolicy): Next {
  const message = messageOf(error);
  if (!(error instanceof AppError) || !error.retryable)
    return { next: 'dead-letter', reason: 'failed', code: codeOf(error), message };
  if (spendsBudget(error) && attempts.counted > policy.retries)
    return { next: 'dead-letter', reason: 'retries-spent', code: error.code, message };
  return {
    next: 'retry',
    inMs: backOff(attempts, policy),
    code: error.code,
  };
}

const codeOf = (error: unknown): string => {
  if (error instanceof AppError) return error.code;
  const isNamed = typeof error === 'object' && error !== null && 'name' in error;
  return isNamed ? String(error.name) : 'UNKNOWN';
};

/** Exponential with equal jitter: half of the wait is fixed, half is drawn, so that partitions do not retry in step. */
export const backOff = (
  { failed, random }: Pick<Attempts, 'failed' | 'random'>,
  { firstRetryMs, longestRetryMs }: DeliveryPolicy,
): number => {
  const longest = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failed - 1, 30));
  return Math.round(longest * (0.5 + random / 2));
};
