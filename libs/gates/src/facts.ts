import type { MissingKind } from './counters.ts';

/** What was counted from the beginning of one window until now. */
export interface CountsSince {
  /** Number of the window; the stage's first is 0. */
  readonly start: number;
  /** Of the canary, or of the metric as a whole. */
  readonly bad: number;
  /** Requests, or observations of a histogram; of a rate, the ms in which they were counted. */
  readonly total: number;
  /** Of a baseline at the same time, counted in the same intervals. */
  readonly baseline?: {
    readonly bad: number;
    readonly total: number;
    /**
     * How many of all bad ones would be the canary's if it were just as bad as the guard allows: Σ (canary's + baseline's
     * bad ones) · ρ', over the intervals between two checks, where ρ' = (1+m)ρ / ((1+m)ρ + 1 − ρ), ρ is the canary's
     * share of the interval's requests and m the guard's margin.
     */
    readonly expected: number;
  };
}

/** What a verdict rests on: plain JSON, and with the policy all that is needed to judge again. */
export interface Facts {
  /** Since the newest count; null if there is none. */
  readonly ageMs: number | null;
  readonly missing: {
    readonly kind: MissingKind;
    readonly targets: number;
    readonly detail: string;
  } | null;
  /** Judges `sequential` and `split`: by start, the first is 0. */
  readonly since?: readonly CountsSince[];
  /** The newest window's number. */
  readonly window?: number;
  /** What was counted before the rollout began, where the baseline is a recorded one. */
  readonly recorded?: { readonly bad: number; readonly total: number } | null;
  /** Judge `sustained`: one per step, oldest first, by its age; null where there is none. */
  readonly samples?: readonly (readonly [ageMs: number, value: number | null])[];
  /** Judge `immediate`: what was counted, or the newest value. */
  readonly value?: number | null;
  /** Judge `liveness`: what became of the canary's instances. */
  readonly liveness?: {
    /** Instances that are gone while others are read. */
    readonly vanished: number;
    /** Most of one instance, within the policy's time. */
    readonly restarts: number;
    /** Names the instance. */
    readonly detail: string;
  };
  /** A split guard has found that canary and baseline do not get the traffic that they should. */
  readonly mismatch?: boolean;
}
