import { z } from 'zod';

export interface Page<T> {
  readonly items: readonly T[];
  /** Give it back as `after` for the next page; absent on the last one. */
  readonly next?: string;
}

/** `?limit=50&after=…`: fetch `limit + 1` after `after`, and let `pageOf` cut. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  after: z.string().min(1).max(500).optional(),
});
export type PageQuery = z.output<typeof pageQuery>;

/** @param found up to `limit + 1` items, in order of their cursor */
export function pageOf<T>(
  found: readonly T[],
  limit: number,
  cursorOf: (item: T) => string,
): Page<T> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return found.length > limit && last !== undefined ? { items, next: cursorOf(last) } : { items };
}
