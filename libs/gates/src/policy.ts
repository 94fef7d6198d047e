/** How one guard is judged in one stage: plain JSON. */
export type Policy =
  | SequentialPolicy
  | SustainedPolicy
  | ImmediatePolicy
  | SplitPolicy
  | LivenessPolicy
  | RecoveryPolicy;

interface PolicyBase {
  readonly guard: string;
  readonly shadow: boolean;
  /** Evidence whose newest count is older is stale. */
  readonly maxAgeMs: number;
}
export interface SequentialPolicy extends PolicyBase {
  readonly judge: 'sequential';
  readonly kind: 'ratio' | 'latency' | 'rate';
  /** The highest healthy share, or number of events in `perMs`; null if it is only compared. */
  readonly limit: number | null;
  readonly perMs?: number;
  /** The bucket edge, ms. */
  readonly overMs?: number;
  /** By how much the canary may be worse than the baseline; null if it is not compared. */
  readonly margin: number | null;
  /** What it is compared with, where there is a margin. */
  readonly baseline: 'concurrent' | 'recorded' | null;
  /** α·w: a breach at E ≥ 1/risk. */
  readonly risk: number;
  /** How many windows the stage's hold time has; their starts share the weight. */
  readonly horizon: number;
  /** A limit's value, or with a margin how many times the baseline. */
  readonly detect: number;
  readonly gate: 'not-proven-bad' | 'proven-good' | 'none';
  /** Everybody has the new version: there is nothing to compare it with. */
  readonly everyone: boolean;
}
interface Threshold {
  /** A value beyond it violates; one of the two. */
  readonly above: number | null;
  readonly below: number | null;
}
export interface SustainedPolicy extends PolicyBase, Threshold {
  readonly judge: 'sustained';
  readonly kind: 'ratio' | 'latency' | 'rate' | 'value' | 'promql';
  readonly forMs: number;
  readonly stepMs: number;
  readonly coverage: number;
}
export interface ImmediatePolicy extends PolicyBase, Threshold {
  readonly judge: 'immediate';
  readonly kind: 'count' | 'rate' | 'signal' | 'value' | 'promql' | 'alert';
}
export interface SplitPolicy extends PolicyBase {
  readonly judge: 'split';
  readonly kind: 'ratio' | 'count';
  readonly canaryShare: number;
  readonly risk: number;
  readonly horizon: number;
  /** Everybody has one version, or nobody has the new one: there is no split. */
  readonly everyone: boolean;
}
/** The guard that every plan has: a canary that crashes counts nothing else. */
export interface LivenessPolicy extends PolicyBase {
  readonly judge: 'liveness';
  readonly restarts: number;
  readonly withinMs: number;
}
/** After a rollback: whether what a guard watches is good again. */
export interface RecoveryPolicy extends PolicyBase {
  readonly judge: 'recovery';
  readonly of: SequentialPolicy | SustainedPolicy | ImmediatePolicy;
}
/** Judged by one number against a threshold. */
export type ThresholdPolicy = SustainedPolicy | ImmediatePolicy;
