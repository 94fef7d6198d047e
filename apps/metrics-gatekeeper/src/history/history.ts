import type { Message } from '@tidegate/contracts';
import type { Revision } from '@tidegate/kernel';

/** One thing that a rollout decided or was told, as it was published. */
export interface Entry {
  readonly type: string;
  /** ms since 1970 */
  readonly at: number;
  /** Who asked for it: a person's key, or `rollout:<id>` for what it did by itself. */
  readonly by: string;
  readonly id: string;
  readonly version: number;
  readonly epoch: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Where an event stands in its rollout's history. Both parts stay below 2³², so it is exact. */
export const placeOf = ({ epoch, version }: Revision): number => epoch * 2 ** 32 + version;

export const entryOf = (
  { type, data, metadata }: Message,
  { epoch, version }: Revision,
): Entry => ({
  type,
  at: metadata.at,
  by: metadata.actor,
  id: metadata.id,
  version,
  epoch,
  data: data as Readonly<Record<string, unknown>>,
});

export interface EntryPage {
  readonly items: readonly Entry[];
  /** The place to go on after; absent on the last page. */
  readonly next?: number;
}

/**
 * The first `limit` entries, and all others of the last one's version: what was decided at once stays together.
 * @param found at least `limit + 1`, and more than one decision can hold, where there are more
 */
export function wholeDecisions(found: readonly Entry[], limit: number): EntryPage {
  const last = found[limit - 1];
  if (!last) return { items: found };
  const end = found.findIndex((entry, index) => index >= limit && placeOf(entry) !== placeOf(last));
  return end === -1 ? { items: found } : { items: found.slice(0, end), next: placeOf(last) };
}
