import type { Mode } from '../tidegate.port.ts';

/**
 * `not-validated`: the mode is off. `violations`: let pass with a warning. `rejected`: refused.
 * `validator-failed`: it threw, and the request was let pass, whatever the mode.
 */
export type ModeOutcome =
  'not-validated' | 'valid' | 'violations' | 'rejected' | 'validator-failed';

/** What ModeGuard counts. `modeMetrics` of `@tidegate/sdk/prometheus` is one. */
export interface ModeMetrics {
  judged(judgement: {
    readonly mode: Mode;
    /** A route pattern. */
    readonly endpoint: string;
    readonly outcome: ModeOutcome;
    readonly violations: number;
    /** What the guard took of the request's time. */
    readonly seconds: number;
  }): void;
  /** An answer has gone out with the deprecation headers. */
  deprecationSent(endpoint: string): void;
}
