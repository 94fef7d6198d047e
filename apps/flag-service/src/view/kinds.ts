import {
  FlagState,
  type Message,
  type SegmentRecord,
  SegmentState,
  segmentStateKey,
  type ViewRecord,
} from '@tidegate/contracts';
import type { Revision } from '@tidegate/kernel';
import type { Documents } from '@tidegate/store';
import { recordOf } from '../flag/flags.ts';
import type { StoredFlag } from '../flag/stored-flag.ts';
import { segmentRecordOf } from '../segment/segments.ts';
import type { StoredSegment } from '../segment/stored-segment.ts';

/** Where views read the store. */
export interface Stored {
  readonly flags: Documents<StoredFlag>;
  readonly segments: Documents<StoredSegment>;
}

/** Documents of one kind, as views hold them. */
export interface Kind<S> {
  readonly documents: Documents<S>;
  /** Undefined for what never was one of the kind. */
  readonly recordOf: (id: string, revision: Revision, state: S) => ViewRecord | undefined;
}

export const flagKind = ({ flags }: Stored): Kind<StoredFlag> => ({ documents: flags, recordOf });
export const segmentKind = ({ segments }: Stored): Kind<StoredSegment> => ({
  documents: segments,
  recordOf: segmentRecordOf,
});

export const isSegment = (record: ViewRecord): record is SegmentRecord => 'segment' in record;
export const nounOf = (record: ViewRecord): string => (isSegment(record) ? 'segment' : 'flag');

/** Its key in the state topic: no flag and segment share one. */
export const stateKey = (record: ViewRecord): string =>
  isSegment(record) ? segmentStateKey(record.key) : record.key;

/** Of what is deleted nothing but the revision is left. */
export const isTombstone = (record: ViewRecord): boolean =>
  isSegment(record) ? record.segment === null : record.flag === null;

const isFlagState = (message: Message): message is FlagState => message.type === FlagState.type;
const isSegmentState = (message: Message): message is SegmentState =>
  message.type === SegmentState.type;

/** What a record of the state topic says; undefined for what is no state. */
export function readState(message: Message): ViewRecord | undefined {
  const { revision } = message.metadata;
  if (!revision) return undefined;
  if (isFlagState(message)) {
    const { key, flag } = message.data;
    return { key, ...revision, flag };
  }
  if (!isSegmentState(message)) return undefined;
  const { key, segment } = message.data;
  return { key, ...revision, segment };
}
