import type { FlagEvent, Message } from '@tidegate/contracts';
import type { Projection } from '@tidegate/store';
import { flagId } from '../flag/flags.ts';
import { pastChange, type PastChange, placeOf } from './history.ts';

export interface History {
  /** Safe to repeat. The events of one flag come in order. */
  project(event: Message & FlagEvent): Promise<void>;
  /** Newest first, those before `before` (a place); up to `limit`. */
  read(
    environment: string,
    key: string,
    page: { before?: number | undefined; limit: number },
  ): Promise<readonly PastChange[]>;
  /** The change that made the version; of the newest epoch that had it. */
  find(environment: string, key: string, version: number): Promise<PastChange | undefined>;
}

export function createHistory(changes: Projection<PastChange>, epoch: number): History {
  return {
    async project(event) {
      const { environment, key } = event.data;
      const { revision, source, id, at } = event.metadata;
      if (!revision) return; // made by no document: it says nothing about one
      const flag = flagId(environment, key);
      const record = pastChange(
        event,
        event.metadata,
        revision,
        (await changes.last(flag))?.record,
      );
      await changes.append([
        { id: flag, version: placeOf(revision), key: `${source}/${id}`, at, record },
      ]);
    },
    async read(environment, key, { before = Number.MAX_SAFE_INTEGER, limit }) {
      const entries = await changes.read(flagId(environment, key), { before, limit });
      return entries.map(({ record }) => record);
    },
    async find(environment, key, version) {
      for (let candidate = epoch; candidate >= 0; candidate -= 1) {
        const place = placeOf({ epoch: candidate, version });
        const [entry] = await changes.read(flagId(environment, key), {
          after: place - 1,
          limit: 1,
        });
        if (entry?.version === place) return entry.record;
      }
      return undefined;
    },
  };
}
