import { z } from 'zod';
import { name } from './fields.ts';
import { amount, atLeast, positive, share, surplus } from './plan-fields.ts';

const every = {
  name,
  metric: z.string(),
  /** Judged and reported, and never acts. */
  shadow: z.boolean().default(false),
};

export const guard = z.discriminatedUnion(
  'judge',
  [
    /**
     * Anytime-valid test: rolls a healthy rollout back with at most its share of the risk. Against `limit`, against the
     * metric's baseline with `margin`, or with both: then worse than the baseline is what breaches.
     */
    z.strictObject({
      ...every,
      judge: z.literal('sequential'),
      /** The highest healthy share of a ratio or latency, or number of events of a rate in its `per`. */
      limit: positive.optional(),
      /** By how much the canary may be worse than the baseline: "10%" of the baseline's. */
      margin: surplus.optional(),
      weight: z.number().positive().default(1),
      /**
       * The regression that must be seen with 80 % power before a stage is left: a limit's value, or with `margin` how
       * many times the baseline. Without it twice the limit, or 2 × (1 + margin).
       */
      detect: positive.optional(),
      /** What lets a stage be left: enough traffic to have seen `detect`, the proof that all is good, or nothing more. */
      gate: z.enum(['not-proven-bad', 'proven-good', 'none']).default('not-proven-bad'),
    }),
    /** Breaches when every sample of a time was beyond a threshold, and enough of them were there. */
    z.strictObject({
      ...every,
      judge: z.literal('sustained'),
      above: amount.optional(),
      below: amount.optional(),
      for: atLeast(1_000),
      /** Time that one sample sums up; not shorter than checkEvery. */
      step: atLeast(1_000).optional(),
      /** Of the samples of that time, so many must be there. */
      coverage: share.default(0.8),
    }),
    /** Breaches at once: at the first increase of a count above `above`, or a value beyond a threshold. */
    z.strictObject({
      ...every,
      judge: z.literal('immediate'),
      above: amount.optional(),
      below: amount.optional(),
      /** Counts only what happened within this time; without it, since the stage opened. */
      within: atLeast(1_000).optional(),
    }),
    /** Whether canary and baseline get the traffic that they should: if not, nothing is compared, and the rollout holds. */
    z.strictObject({
      ...every,
      judge: z.literal('split'),
      /** The canary's share; without it, the percentage of the stage. */
      canaryShare: share.optional(),
      /** The probability that a right split is called wrong, over the whole stage. */
      risk: share.default(0.001),
    }),
  ],
  { error: 'expected sequential, sustained, immediate or split' },
);
export type Guard = z.output<typeof guard>;
export type GuardOf<J extends Guard['judge']> = Extract<Guard, { judge: J }>;
