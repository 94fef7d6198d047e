import type { MissingKind } from './counters.ts';

/** What a reason means for the rollout. */
export type ReasonClass =
  | 'breach'
  /** Data are missing or wrong. */
  | 'missing'
  /** Something is wrong that a rollback does not mend, or is not proven yet: a person looks, or it passes. */
  | 'held'
  /** Nothing of what the guard watches has been seen. */
  | 'unseen'
  /** Seen, but not enough; a plan may go on at its deadline. */
  | 'little'
  | 'pass';

/** The one table of reasons: whatever a guard says, this is what follows. */
const REASONS = {
  'error-rate-too-high': 'breach',
  'latency-too-high': 'breach',
  'rate-too-high': 'breach',
  'worse-than-baseline': 'breach',
  'too-high-for-too-long': 'breach',
  'too-low-for-too-long': 'breach',
  'count-too-high': 'breach',
  'value-too-high': 'breach',
  'value-too-low': 'breach',
  'canary-vanished': 'breach',
  'canary-restarts': 'breach',

  'query-error': 'missing',
  'wrong-cardinality': 'missing',
  nan: 'missing',
  stale: 'missing',
  empty: 'missing',
  'not-read': 'missing',
  'no-value': 'missing',
  'more-errors-than-requests': 'missing',
  'too-little-recorded': 'missing',

  'both-arms-bad': 'held',
  'sample-ratio-mismatch': 'held',
  'beyond-threshold': 'held',
  persisting: 'held',

  'no-requests': 'unseen',
  'no-baseline-requests': 'unseen',
  'too-few-samples': 'unseen',

  'too-few-requests': 'little',
  'too-few-errors': 'little',
  'too-little-time': 'little',
  'not-proven-good': 'little',

  'error-rate-within-limit': 'pass',
  'latency-within-limit': 'pass',
  'rate-within-limit': 'pass',
  'not-worse-than-baseline': 'pass',
  'nothing-to-compare': 'pass',
  'within-threshold': 'pass',
  'count-within-limit': 'pass',
  'value-within-limit': 'pass',
  'split-as-planned': 'pass',
  alive: 'pass',
  recovered: 'pass',
  'nobody-served': 'pass',
} as const satisfies Readonly<Record<string, ReasonClass>> &
  Readonly<Record<MissingKind, 'missing'>>;
export type Reason = keyof typeof REASONS;

const CLASSES: Readonly<Record<string, ReasonClass>> = REASONS;

/** Undefined for a reason of someone else. */
export const classOf = (reason: string): ReasonClass | undefined =>
  Object.hasOwn(CLASSES, reason) ? CLASSES[reason] : undefined;

export function outcomeOf(reason: Reason): 'breach' | 'hold' | 'pass' {
  const kind = REASONS[reason];
  return kind === 'breach' || kind === 'pass' ? kind : 'hold';
}

/** Whether the reason is that data are missing or wrong, not that there are too few of them. */
export const isMissingData = (reason: string): boolean => classOf(reason) === 'missing';

/** Every reason of a class. */
export const reasonsOf = (kind: ReasonClass): Reason[] =>
  (Object.keys(REASONS) as Reason[]).filter((reason) => REASONS[reason] === kind);
