import type { Flag, FlagEvent, Message, Segment, SegmentEvent } from '@tidegate/contracts';
import type { Draft } from '@tidegate/kernel';
import type { Projection } from '@tidegate/store';
import { flagDecider } from '../flag/flag.ts';
import { flagId } from '../flag/flags.ts';
import { storedAs, viewOf } from '../flag/stored-flag.ts';
import { segmentDecider } from '../segment/segment.ts';
import { segmentOf, storedSegment } from '../segment/stored-segment.ts';
import { type Kept, pastChange, type PastChange, placeOf } from './history.ts';

export interface History<V = Flag, M extends Draft = FlagEvent> {
  /** Safe to repeat. The events of one document come in order. */
  project(event: Message & M): Promise<void>;
  /** Newest first, those before `before` (a place); up to `limit`. */
  read(
    environment: string,
    key: string,
    page: { before?: number | undefined; limit: number },
  ): Promise<readonly PastChange<V, M>[]>;
  /** The change that made the version; of the newest epoch that had it. */
  find(environment: string, key: string, version: number): Promise<PastChange<V, M> | undefined>;
}

export type SegmentHistory = History<Segment, SegmentEvent>;
export type PastSegmentChange = PastChange<Segment, SegmentEvent>;

export const createHistory = (changes: Projection<PastChange>, epoch: number): History =>
  historyOf({ decider: flagDecider, viewOf, stored: storedAs }, changes, epoch);

export const createSegmentHistory = (
  changes: Projection<PastSegmentChange>,
  epoch: number,
): SegmentHistory =>
  historyOf({ decider: segmentDecider, viewOf: segmentOf, stored: storedSegment }, changes, epoch);

interface Subject {
  readonly environment: string;
  readonly key: string;
}

function historyOf<S, V, M extends Draft<string, Subject>>(
  kept: Kept<S, V, M>,
  changes: Projection<PastChange<V, M>>,
  epoch: number,
): History<V, M> {
  return {
    async project(event) {
      const { environment, key } = event.data;
      const { revision, source, id, at } = event.metadata;
      if (!revision) return; // made by no document: it says nothing about one
      const subject = flagId(environment, key);
      const last = (await changes.last(subject))?.record;
      const record = pastChange(kept, event, event.metadata, revision, last);
      await changes.append([
        { id: subject, version: placeOf(revision), key: `${source}/${id}`, at, record },
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
