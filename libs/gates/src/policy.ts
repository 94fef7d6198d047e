/** How one guard is judged in one stage: plain JSON. */
export type Policy = SequentialPolicy | SustainedPolicy | ImmediatePolicy | SplitPolicy;

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
export interface SustainedPolicy extends PolicyBase {
  readonly judge: 'sustained';
  readonly above: number | null;
  readonly below: number | null;
  readonly forMs: number;
  readonly stepMs: number;
  readonly coverage: number;
}
export interface ImmediatePolicy extends PolicyBase {
  readonly judge: 'immediate';
  readonly above: number | null;
  readonly below: number | null;
}
export interface SplitPolicy extends PolicyBase {
  readonly judge: 'split';
  readonly canaryShare: number;
  readonly risk: number;
}
