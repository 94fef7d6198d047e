import { z } from 'zod';
import { name } from './fields.ts';
import { fact } from './rollout-fact.ts';

const reference = { kind: z.enum(['flag', 'segment']), key: name };
const referenceExample = { kind: 'flag' as const, key: 'payments' };
/**
 * What the rollout's flag refers to is held as well. `revision` is of its definition as it is relied on; `flags` and
 * `segments` are what it refers to in turn.
 */
export const ReferenceHeld = fact(
  'ReferenceHeld',
  'reference-held',
  {
    ...reference,
    revision: z.object({ epoch: z.int().min(1), version: z.int().min(1) }).optional(),
    disabled: z.boolean(),
    flags: z.array(name),
    segments: z.array(name),
  },
  {
    ...referenceExample,
    revision: { epoch: 1, version: 7 },
    disabled: false,
    flags: [],
    segments: ['beta-users'],
  },
);
/** It cannot be relied on: the rollout ends if it has not begun, else a person decides. */
export const ReferenceRefused = fact(
  'ReferenceRefused',
  'reference-refused',
  { ...reference, code: z.string(), message: z.string() },
  {
    ...referenceExample,
    code: 'FLAG_HELD',
    message: 'Rollout r-41 holds payments in production.',
  },
);
/** Somebody else changed what the rollout relies on: disabled, enabled, or took it from the rollout. */
export const ReferenceObserved = fact(
  'ReferenceObserved',
  'reference-observed',
  {
    ...reference,
    change: z.enum(['disabled', 'enabled', 'released']),
    by: z.string(),
    reason: z.string(),
  },
  { ...referenceExample, change: 'disabled', by: 'alex', reason: 'payments are down' },
);
