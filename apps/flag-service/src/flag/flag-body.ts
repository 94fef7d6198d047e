import {
  dateOf,
  exposure,
  type Flag,
  type FlagDefinition,
  flagDefinition,
  name,
  reason,
} from '@tidegate/contracts';
import { isRejection, parsePercentage } from '@tidegate/kernel';
import { z } from 'zod';

const percent = z
  .number()
  .transform((value, context) => {
    const percentage = parsePercentage(value);
    if (!isRejection(percentage)) return percentage;
    context.addIssue({ code: 'custom', message: percentage.message });
    return z.NEVER;
  })
  .meta({ description: 'Percent, 0 to 100 in steps of 0.001.' });

/** What people send: a definition with its exposure in percent, and why. What is not known is refused by name. */
export const flagBody = z
  .strictObject({
    ...flagDefinition.shape,
    exposure: z.strictObject({ ...exposure.shape, percentage: percent }),
    reason: reason.optional(),
  })
  .transform(({ reason, ...written }, context) => {
    const definition = flagDefinition.safeParse(written);
    if (definition.success)
      return { definition: definition.data, ...(reason === undefined ? {} : { reason }) };
    for (const { path, message } of definition.error.issues)
      context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  });

const because = { reason };
export const reasonBody = z.strictObject(because);

/** Which version to go back to, as the history counts them. */
export const restoreBody = z.strictObject({ version: z.int().min(1), ...because });

const moment = z
  .union([z.string(), z.number()])
  .transform((written, context) => {
    const at = dateOf(written);
    if (at !== undefined && Number.isSafeInteger(at) && at >= 0) return at;
    const message = 'expected a date with its zone such as 2026-11-28T10:00:00Z, or ms since 1970';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .meta({ description: 'RFC 3339 with its zone, or ms since 1970.' });

/** All that is to come by itself from now on; an empty list takes everything back. */
export const scheduleBody = z
  .array(z.strictObject({ at: moment, change: z.enum(['enable', 'disable']), reason }))
  .max(20);

/** What is copied, where to, and why. */
export const copyBody = z.strictObject({
  to: name.meta({ description: 'The environment to copy to.' }),
  dryRun: z.boolean().default(false).meta({ description: 'Only say what would change there.' }),
  ...because,
});

type Shown<T extends FlagDefinition> = Omit<T, 'exposure'> & {
  readonly exposure: Omit<T['exposure'], 'percentage'> & { readonly percentage: number };
};
export type ShownFlag = Omit<Flag, 'definition'> & { readonly definition: Shown<FlagDefinition> };

/** The flag with its exposure in percent, as people read it: what `flagBody` accepts. */
export function shownFlag(flag: Flag): ShownFlag;
export function shownFlag(flag: Flag | null): ShownFlag | null;
export function shownFlag(flag: Flag | null): ShownFlag | null {
  return flag && { ...flag, definition: shownDefinition(flag.definition) };
}

export function shownDefinition(definition: FlagDefinition): Shown<FlagDefinition> {
  const { percentage, ...exposure } = definition.exposure;
  return { ...definition, exposure: { ...exposure, percentage: percentage / 1_000 } };
}
