/** Who asks. Attributes beside `targetingKey` (user, tenant, device …) are for rules. */
export interface EvaluationContext {
  readonly targetingKey?: string | undefined;
  readonly [attribute: string]: unknown;
}

/** OpenFeature's names. STATIC: the same for everyone; SPLIT: by the bucket of the targeting key. */
export type Reason =
  'DISABLED' | 'TARGETING_MATCH' | 'SPLIT' | 'STATIC' | 'DEFAULT' | 'STALE' | 'ERROR';

export type EvaluationErrorCode =
  | 'FLAG_NOT_FOUND'
  | 'TYPE_MISMATCH'
  | 'TARGETING_KEY_MISSING'
  | 'PARSE_ERROR'
  | 'PROVIDER_NOT_READY'
  | 'GENERAL';

/** Scalars only. `rollout` and `step`: of the rollout that holds the flag; `ageMs`: of an answer that is STALE. */
export interface FlagMetadata {
  readonly epoch?: number;
  readonly version?: number;
  readonly rollout?: string;
  readonly step?: string;
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
