import { z } from 'zod';
import { attributePath, condition } from './condition.ts';
import { flagKey, name, variantName } from './fields.ts';

/** Of all weights together: a bucket is found by an integer of 32 bits. */
export const MAX_TOTAL_WEIGHT = 2 ** 31 - 1;

/** Shares of variants, in proportion to their weights. */
export const weights = z
  .array(z.strictObject({ variant: variantName, weight: z.int().min(0).max(MAX_TOTAL_WEIGHT) }))
  .min(1)
  .max(100)
  .superRefine((parts, context) => {
    const total = parts.reduce((sum, { weight }) => sum + weight, 0);
    if (total < 1 || total > MAX_TOTAL_WEIGHT)
      context.addIssue({
        code: 'custom',
        message: `the weights add up to ${total}; expected 1 to ${MAX_TOTAL_WEIGHT}`,
      });
  });

/** A piece of what is hashed: a text as it stands, or an attribute of the context as text; `null` if it is missing. */
const hashPart = z.union(
  [z.string(), z.strictObject({ attribute: attributePath })],
  'expected a text or { attribute }',
);

/** Divides units among variants. Units are told apart by `by`, the targeting key if it is left out. */
export const split = z.strictObject({
  weights,
  by: attributePath.optional(),
  /**
   * Of imported flags: exactly this, joined, is hashed instead of salt and unit, so that nobody is moved by the import.
   */
  input: z.array(hashPart).min(1).max(20).optional(),
});
export type Split = z.output<typeof split>;

/** The first rule whose condition holds decides; without `when` it always does. */
export const rule = z
  .strictObject({
    /** Stands in the metadata of the answers it gives; without one its number does, from 1. */
    name: name.optional(),
    when: condition.optional(),
    variant: variantName.optional(),
    split: split.optional(),
  })
  .superRefine(({ variant, split: parts }, context) => {
    if ((variant === undefined) === (parts === undefined))
      context.addIssue({ code: 'custom', message: 'expected either a variant or a split' });
  });
export type Rule = z.output<typeof rule>;

/** Another flag of the environment that must be enabled and serve one of these variants to the same context. */
export const prerequisite = z.strictObject({
  flag: flagKey,
  variants: z.array(variantName).min(1).max(100),
});
export type Prerequisite = z.output<typeof prerequisite>;
