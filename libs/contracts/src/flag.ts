import { z } from 'zod';
import { millis, name, NAME_RULE, rolloutRef, thousandths } from './fields.ts';

/** What a variant answers with. `null` is no value: OpenFeature cannot tell it from absence. */
const variantValue = z.union(
  [z.boolean(), z.string(), z.number(), z.record(z.string(), z.json()), z.array(z.json())],
  'expected a boolean, a string, a finite number, an object or a list; null is no value',
);
const variants = z.record(name, variantValue, {
  error: (issue) => (issue.code === 'invalid_key' ? `the name ${NAME_RULE}` : undefined),
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

/**
 * What people write. A unit that the exposure covers (or that is allowed) is served `exposure.variant`,
 * everyone else `defaultVariant`; a disabled flag serves `offVariant` to all.
 */
export const flagDefinition = z
  .object({
    type: z.enum(flagTypes),
    variants,
    defaultVariant: name,
    offVariant: name,
    exposure: z.object({ variant: name, percentage: thousandths }),
    allowedUsers: z.array(z.string().min(1)).max(10_000).default([]),
    deniedUsers: z.array(z.string().min(1)).max(10_000).default([]),
    settings: z.record(z.string(), z.json()).default({}),
    owner: z.string().max(200).optional(),
    description: z.string().max(2_000).optional(),
    tags: z.array(name).max(50).default([]),
    /** ms since 1970. */
    expiresAt: millis.optional(),
  })
  .superRefine((flag, context) => {
    const named = {
      defaultVariant: flag.defaultVariant,
      offVariant: flag.offVariant,
      'exposure.variant': flag.exposure.variant,
    };
    for (const [field, variant] of Object.entries(named))
      if (!Object.hasOwn(flag.variants, variant))
        context.addIssue({
          code: 'custom',
          path: field.split('.'),
          message: `there is no variant "${variant}"; expected one of ${Object.keys(flag.variants).join(', ') || 'none'}`,
        });
    for (const [variant, value] of Object.entries(flag.variants))
      if (!matchesType[flag.type](value))
        context.addIssue({
          code: 'custom',
          path: ['variants', variant],
          message: `expected a ${flag.type === 'mode' ? 'mode (off, warn or enforce)' : flag.type}`,
        });
  });
export type FlagDefinition = z.output<typeof flagDefinition>;

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
});
export type Flag = z.output<typeof flag>;
