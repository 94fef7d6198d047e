import { z } from 'zod';

/** What a gate or guard says on its evidence, with everything needed to judge again. */
export const verdict = z.object({
  guard: z.string(),
  outcome: z.enum(['pass', 'hold', 'breach']),
  /** A named reason from the judge's closed list. */
  reason: z.string(),
  /** ln of the e-value; null for judges without one. */
  logE: z.number().nullable().default(null),
  /** ln(1/(α·w)): a breach at or above it. */
  threshold: z.number().nullable().default(null),
  evidence: z.record(z.string(), z.number()).default({}),
  message: z.string(),
  /** Policy and facts as they were judged: what `evidence` sums up, in full. From them anybody gets the same verdict. */
  inputs: z.record(z.string(), z.json()).optional(),
  /** It is reported and never acts. */
  shadow: z.boolean().optional(),
});
export type Verdict = z.output<typeof verdict>;

export const verdictExample = {
  guard: 'error-rate',
  outcome: 'pass' as const,
  reason: 'error-rate-within-limit',
  logE: -2.4,
  threshold: 4.605,
  evidence: { errors: 1, trials: 1_204, limit: 0.01 },
  message: 'error-rate: 1 of 1 204 requests failed (0.08 %), limit 1 %.',
};
