import { FULL, isPercentage, type Percentage } from '@tidegate/kernel';
import { z } from 'zod';

export const NAME_RULE =
  'must be lower-case letters, digits, ".", "_" or "-", 1 to 128 of them, beginning and ending with a letter or digit';

/** Lower-case words joined by dots, dashes or underscores; names and keys in paths, topics and labels. */
export const name = z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,126}[a-z0-9])?$/, NAME_RULE);

export const KEY_RULE =
  'must be letters, digits, ".", "_" or "-", 1 to 128 of them, beginning and ending with a letter or digit';

/** A flag's key. Upper case counts, because programs already ask other flag systems for `newWelcomeBanner`. */
export const flagKey = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/, KEY_RULE);

export const VARIANT_RULE = 'must be 1 to 128 characters, none of them a control character';

/** A variant's name is data: it stands in answers and definitions, never in an address or a topic. */
export const variantName = z
  .string()
  // eslint-disable-next-line no-control-regex -- these are what it must not hold
  .regex(/^(?!__proto__$)[^\u0000-\u001f\u007f]{1,128}$/, VARIANT_RULE);

export const reason = z.string().trim().min(1, 'a reason is needed').max(2_000);

/** An integer number of thousandths of a percent, 0 … 100 000. */
export const thousandths = z
  .int()
  .min(0)
  .max(FULL)
  .transform((value) => value as Percentage)
  .refine(isPercentage);

/** Which rollout asks, and in which generation. Commands of an older generation come too late. */
export const rolloutRef = z.object({ id: z.string().min(1), generation: z.int().min(0) });
export type RolloutRef = z.output<typeof rolloutRef>;

export const millis = z.number().int().min(0);

/** Fields of an answer, beside its subject: every decodable command gets one. */
export const answerFields = {
  command: z.object({ id: z.string(), source: z.string(), type: z.string() }),
  outcome: z.enum(['changed', 'unchanged', 'refused']),
  /** Of the document, after the command. */
  version: z.int().min(0),
  /** Of the command, echoed: a rollout tells its own answers by it. */
  rollout: rolloutRef.optional(),
  code: z.string().optional(),
  message: z.string().optional(),
};

export const answerExample = {
  command: { id: '7f1c', source: 'metrics-gatekeeper', type: 'RestoreFlag' },
  outcome: 'changed' as const,
  version: 8,
};
