import type { Message } from '@tidegate/contracts';
import type { Projection } from '@tidegate/store';
import { type Entry, entryOf, type EntryPage, placeOf, wholeDecisions } from './history.ts';

/** More than one decision can hold. */
const AT_ONCE = 64;

export interface History {
  /** Safe to repeat. What no rollout's document has made is passed over. */
  project(event: Message): Promise<void>;
  /** Oldest first, those after the place `after`. */
  read(rollout: string, page: { after?: number | undefined; limit: number }): Promise<EntryPage>;
}

export const createHistory = (entries: Projection<Entry>): History => ({
  async project(event) {
    const { revision, source, id, at } = event.metadata;
    const { rollout } = event.data as { rollout?: unknown };
    if (!revision || typeof rollout !== 'string') return;
    const record = entryOf(event, revision);
    const version = placeOf(revision);
    await entries.append([{ id: rollout, version, key: `${source}/${id}`, at, record }]);
  },
  async read(rollout, { after, limit }) {
    const page = after === undefined ? {} : { after };
    const found = await entries.read(rollout, { ...page, limit: limit + AT_ONCE });
    return wholeDecisions(
      found.map(({ record }) => record),
      limit,
    );
  },
});
