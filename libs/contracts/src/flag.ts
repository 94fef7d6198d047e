import { z } from 'zod';
import { attributePath } from './condition.ts';
import {
  millis,
  name,
  reason,
  rolloutRef,
  thousandths,
  VARIANT_RULE,
  variantName,
} from './fields.ts';
import { prerequisite, rule, weights } from './targeting.ts';

/** What a variant answers with. `null` has no value of its own: whoever asks gets the default they asked with. */
const variantValue = z.union(
  [
    z.boolean(),
    z.string(),
    z.number(),
    z.record(z.string(), z.json()),
    z.array(z.json()),
    z.null(),
  ],
  "expected a boolean, a string, a finite number, an object, a list, or null for the caller's default",
);
const variants = z.record(variantName, variantValue, {
  error: (issue) => (issue.code === 'invalid_key' ? `the name ${VARIANT_RULE}` : undefined),
});

export const flagTypes = ['boolean', 'string', 'number', 'object', 'mode'] as const;
export const modes = ['off', 'warn', 'enforce'] as const;

const matchesType = {
  boolean: (value: unknown) => typeof value === 'boolean',
  string: (value: unknown) => typeof value === 'string',
  number: (value: unknown) => typeof value === 'number',
  object: (value: unknown) => typeof value === 'object',
  mode: (value: unknown) => modes.some((mode) => mode === value),
};

/** Whom the flag reaches beside its lists and rules. */
export const exposure = z.object({
  variant: variantName,
  percentage: thousandths,
  /** Divides the units that are covered among these variants instead of `variant`. */
  split: weights.optional(),
  /** The attribute that tells units apart; the targeting key if left out. */
  by: attributePath.optional(),
});

/**
 * What people write. In this order, the first that applies decides: disabled → `offVariant`; a prerequisite that is
 * not met → `offVariant`; denied → `defaultVariant`; allowed → `exposure.variant`; the first rule that holds; covered by
 * the exposure → its variant or split; else `defaultVariant`.
 */
export const flagDefinition = z
  .object({
    type: z.enum(flagTypes),
    variants,
    defaultVariant: variantName,
    offVariant: variantName,
    exposure,
    allowedUsers: z.array(z.string().min(1)).max(10_000).default([]),
    deniedUsers: z.array(z.string().min(1)).max(10_000).default([]),
    settings: z.record(z.string(), z.json()).default({}),
    /** Stands in the `flagMetadata` of every answer, under what Tidegate itself says there. */
    metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    owner: z.string().max(200).optional(),
    description: z.string().max(2_000).optional(),
    tags: z.array(name).max(50).default([]),
    /** ms since 1970. */
    expiresAt: millis.optional(),
    prerequisites: z.array(prerequisite).max(20).default([]),
    rules: z.array(rule).max(100).default([]),
  })
  .superRefine((flag, context) => {
    for (const [path, variant] of namedVariants(flag))
      if (!Object.hasOwn(flag.variants, variant))
        context.addIssue({
          code: 'custom',
          path,
          message: `there is no variant "${variant}"; expected one of ${Object.keys(flag.variants).join(', ') || 'none'}`,
        });
    for (const [variant, value] of Object.entries(flag.variants))
      if (value !== null && !matchesType[flag.type](value))
        context.addIssue({
          code: 'custom',
          path: ['variants', variant],
          message: `expected a ${flag.type === 'mode' ? 'mode (off, warn or enforce)' : flag.type}`,
        });
  });
export type FlagDefinition = z.output<typeof flagDefinition>;

type Naming = Pick<FlagDefinition, 'defaultVariant' | 'offVariant' | 'exposure' | 'rules'>;

/** Every variant that a definition names, with where it does. */
function* namedVariants(flag: Naming): Generator<[(string | number)[], string]> {
  yield [['defaultVariant'], flag.defaultVariant];
  yield [['offVariant'], flag.offVariant];
  yield [['exposure', 'variant'], flag.exposure.variant];
  for (const [index, { variant }] of (flag.exposure.split ?? []).entries())
    yield [['exposure', 'split', index, 'variant'], variant];
  for (const [index, { variant, split }] of flag.rules.entries()) {
    if (variant !== undefined) yield [['rules', index, 'variant'], variant];
    for (const [part, { variant: of }] of (split?.weights ?? []).entries())
      yield [['rules', index, 'split', 'weights', part, 'variant'], of];
  }
}

/** A change that comes by itself. `at` in ms since 1970. */
export const scheduledChange = z.object({
  at: millis,
  change: z.enum(['enable', 'disable']),
  reason,
  by: z.string(),
});
export type ScheduledChange = z.output<typeof scheduledChange>;

/** Why a flag is off, and who turned it off. `at` in ms since 1970. */
export const disabledBecause = z.object({ reason: z.string(), at: millis, by: z.string() });

/** A flag as every view holds it. The salt is stored, random once, so that no edit moves a user. */
export const flag = z.object({
  definition: flagDefinition,
  salt: z.string().min(1),
  disabled: disabledBecause.optional(),
  /** The rollout that holds the flag: changes that could move a user are refused but for its own. */
  hold: z
    .object({
      rollout: rolloutRef,
      since: millis,
      step: z.string().optional(),
      /** The stage wants to be closed when for so long no check of its rollout was heard of, counted from `since` on. */
      watch: z.object({ closeIfSilentMs: z.int().min(1), since: millis }).optional(),
    })
    .optional(),
  /** Rollouts of other flags that have this one as a prerequisite: until they end, nothing may move its users. */
  reliedOn: z.array(rolloutRef).optional(),
  /** In order of time. */
  schedule: z.array(scheduledChange).optional(),
});
export type Flag = z.output<typeof flag>;
