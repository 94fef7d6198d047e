import { name } from '@tidegate/contracts';
import { z } from 'zod';

const labels = z.record(z.string(), z.string()).default({});
const message = z.string().trim().min(1).max(2_000);

/** Without `rollout`, the labels `rollout`, `plan` and `flag` say what it is about. */
export const breachBody = z.strictObject({
  environment: name,
  rollout: z.string().min(1).optional(),
  labels,
  guard: z.string().min(1).max(200),
  message,
  /** Repeats of one breach have the same fingerprint and start. Default: of environment, guard and labels. */
  fingerprint: z.string().min(1).max(500).optional(),
  /** ms since 1970; now if left out. */
  startsAt: z.int().min(0).optional(),
});
