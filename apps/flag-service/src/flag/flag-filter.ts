import { type Flag, flagTypes, name } from '@tidegate/contracts';
import { z } from 'zod';

/** What a list of flags can be narrowed to; a flag must be all of it. */
export const flagFilter = z.object({
  q: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'A text in key, description or owner, in any case.' }),
  tag: name.optional(),
  state: z.enum(['enabled', 'disabled']).optional(),
  type: z.enum(flagTypes).optional(),
  heldBy: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'The id of a rollout that holds the flag or relies on it.' }),
});
export type FlagFilter = z.output<typeof flagFilter>;

export function matches(
  key: string,
  { definition, disabled, hold, reliedOn = [] }: Flag,
  { q, tag, state, type, heldBy }: FlagFilter,
): boolean {
  const holders = [...(hold ? [hold.rollout] : []), ...reliedOn];
  const wanted = q?.toLowerCase();
  const texts = [key, definition.description, definition.owner];
  return (
    (wanted === undefined || texts.some((text) => text?.toLowerCase().includes(wanted))) &&
    (tag === undefined || definition.tags.includes(tag)) &&
    (state === undefined || (state === 'disabled') === (disabled !== undefined)) &&
    (type === undefined || definition.type === type) &&
    (heldBy === undefined || holders.some(({ id }) => id === heldBy))
  );
}
