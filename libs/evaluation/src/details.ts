/** Who asks. Attributes beside `targetingKey` (user, tenant, device …) are for rules. */
export interface EvaluationContext {
  readonly targetingKey?: string | undefined;
  readonly [attribute: string]: unknown;
}

/**
 * OpenFeature's names, and PREREQUISITE_FAILED. STATIC: the same for everyone; SPLIT: by the bucket of the unit;
 * TARGETING_MATCH: by a list or a rule.
 */
export type Reason =
  | 'DISABLED'
  | 'PREREQUISITE_FAILED'
  | 'TARGETING_MATCH'
  | 'SPLIT'
  | 'STATIC'
  | 'DEFAULT'
  | 'STALE'
  | 'ERROR';

export type EvaluationErrorCode =
  | 'FLAG_NOT_FOUND'
  | 'TYPE_MISMATCH'
  | 'TARGETING_KEY_MISSING'
  | 'PARSE_ERROR'
  | 'PROVIDER_NOT_READY'
  | 'GENERAL';

/** Scalars only: what the flag's definition says (`metadata`), and under it, in these fields, what Tidegate says. */
export interface FlagMetadata {
  readonly [name: string]: string | number | boolean | undefined;
  readonly epoch?: number;
  readonly version?: number;
  /** The rule that decided: its name, else its number from 1. */
  readonly rule?: string | number;
  /** The first prerequisite that is not met. */
  readonly prerequisite?: string;
  /** The rollout that holds the flag, and its step. */
  readonly rollout?: string;
  readonly step?: string;
  /** Of an answer that is STALE. */
  readonly ageMs?: number;
}

/** An answer with its why. On an error `value` is the caller's default. Frozen and shared: copy, do not change. */
export interface Details<T = unknown> {
  readonly value: T;
  readonly variant?: string;
  readonly reason: Reason;
  readonly errorCode?: EvaluationErrorCode;
  readonly errorMessage?: string;
  readonly flagMetadata: FlagMetadata;
}

const NO_METADATA: FlagMetadata = Object.freeze({});

/** The caller's default, with reason ERROR. */
export const failed = <T>(
  value: T,
  errorCode: EvaluationErrorCode,
  errorMessage: string,
  flagMetadata: FlagMetadata = NO_METADATA,
): Details<T> => ({ value, reason: 'ERROR', errorCode, errorMessage, flagMetadata });
