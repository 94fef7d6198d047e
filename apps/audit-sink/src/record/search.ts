import { z } from 'zod';
import type { Manifest } from './manifest.ts';

const time = z
  .union([
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    z.coerce.number().int().min(0),
  ])
  .describe('RFC 3339, or ms since 1970');
const position = z.coerce.number().int().min(0);

/** Strict: a misspelt condition must not find everything. */
export const searchQuery = z.strictObject({
  type: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('CloudEvents type, or its beginning ended by *'),
  correlationId: z.string().min(1).max(200).optional(),
  who: z.string().min(1).max(200).optional(),
  topic: z.string().min(1).max(200).optional(),
  since: time.optional(),
  until: time.optional(),
  after: position.optional().describe('The `next` of the page before'),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});
export type Search = z.output<typeof searchQuery>;

/** True if a record has everything that is asked for. Times are when the bus took it. */
export function matches(
  search: Search,
  { type, correlationId, who, origin, recordedAt }: Manifest,
): boolean {
  return (
    (search.type === undefined || isType(search.type, type)) &&
    (search.correlationId ?? correlationId) === correlationId &&
    (search.who ?? who) === who &&
    (search.topic ?? origin.topic) === origin.topic &&
    recordedAt >= (search.since ?? -Infinity) &&
    recordedAt < (search.until ?? Infinity)
  );
}

const isType = (asked: string, type: string | null): boolean =>
  asked.endsWith('*') ? (type ?? '').startsWith(asked.slice(0, -1)) : asked === type;
