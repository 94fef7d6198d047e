import type { Verdict } from '@tidegate/contracts';
import { z } from 'zod';
import { missingKinds } from './counters.ts';
import type { Facts } from './facts.ts';
import { samplesOf, sinceOf } from './packed.ts';
import type { Policy } from './policy.ts';

/** Everything that a verdict follows from. */
export interface Inputs {
  readonly policy: Policy;
  readonly facts: Facts;
}

const count = z.number().min(0);
const maybe = z.number().nullable();
const share = z.number().gt(0).lt(1);
const base = { guard: z.string(), shadow: z.boolean(), maxAgeMs: count };
const threshold = { above: maybe, below: maybe };

const sequential = z.object({
  ...base,
  judge: z.literal('sequential'),
  kind: z.enum(['ratio', 'latency', 'rate']),
  limit: z.number().gt(0).nullable(),
  perMs: z.number().gt(0).optional(),
  overMs: z.number().gt(0).optional(),
  margin: count.nullable(),
  baseline: z.enum(['concurrent', 'recorded']).nullable(),
  risk: share,
  horizon: z.int().min(1),
  detect: z.number().gt(0),
  gate: z.enum(['not-proven-bad', 'proven-good', 'none']),
  everyone: z.boolean(),
});
const sustained = z.object({
  ...base,
  ...threshold,
  judge: z.literal('sustained'),
  kind: z.enum(['ratio', 'latency', 'rate', 'value', 'promql']),
  forMs: z.number().gt(0),
  stepMs: z.number().gt(0),
  coverage: share,
});
const immediate = z.object({
  ...base,
  ...threshold,
  judge: z.literal('immediate'),
  kind: z.enum(['count', 'rate', 'signal', 'value', 'promql', 'alert']),
});
const split = z.object({
  ...base,
  judge: z.literal('split'),
  kind: z.enum(['ratio', 'count']),
  canaryShare: count,
  risk: share,
  horizon: z.int().min(1),
  everyone: z.boolean(),
});
const liveness = z.object({
  ...base,
  judge: z.literal('liveness'),
  restarts: count,
  withinMs: count,
});
const recovery = z.object({
  ...base,
  judge: z.literal('recovery'),
  of: z.discriminatedUnion('judge', [sequential, sustained, immediate]),
});
const policy = z.discriminatedUnion('judge', [
  sequential,
  sustained,
  immediate,
  split,
  liveness,
  recovery,
]);

const counts = { bad: count, total: count };
const facts = z.object({
  ageMs: maybe,
  missing: z.object({ kind: z.enum(missingKinds), targets: count, detail: z.string() }).nullable(),
  since: sinceOf.optional(),
  window: z.int().min(0).optional(),
  recorded: z.object(counts).nullable().optional(),
  samples: samplesOf.optional(),
  value: maybe.optional(),
  liveness: z.object({ vanished: count, restarts: count, detail: z.string() }).optional(),
  mismatch: z.boolean().optional(),
});
const inputs = z.object({ policy, facts });

/** The verdict's inputs if they are whole and of a judge of ours. */
export function inputsOf({ inputs: given }: Verdict): Inputs | undefined {
  const read = inputs.safeParse(given);
  return read.success ? (read.data as Inputs) : undefined;
}
