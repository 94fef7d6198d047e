import { name } from '@tidegate/contracts';
import { z } from 'zod';

const share = z.number().min(0).max(1);

export const feasibilityBody = z.strictObject({
  /** A version that is stored; the newest if left out. */
  version: z.int().min(1).optional(),
  /** A plan that is not stored, as its text: then no version. */
  text: z.string().min(1).optional(),
  environment: name.default('production'),
  /** Requests a second of everybody, old version and new; measured if left out. */
  rps: z.number().positive().optional(),
  /** The share of them that fails now; used with `rps`. */
  errorRate: share.optional(),
});
export type FeasibilityBody = z.output<typeof feasibilityBody>;
