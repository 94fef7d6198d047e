import {
  referencesOf,
  type SegmentEvent,
  type SegmentRecord,
  stateTopic,
} from '@tidegate/contracts';
import type { Revision } from '@tidegate/kernel';
import type { Aggregate, Collection } from '@tidegate/store';
import { flagId, splitFlagId } from '../flag/flags.ts';
import { usesOf } from '../reference/uses.ts';
import type { AnySegmentCommand } from './recover-segment.ts';
import { isPresent, segmentOf, type StoredSegment } from './stored-segment.ts';

/** In a collection of their own: the ids look like those of flags. */
export const segmentId = flagId;
export const splitSegmentId = splitFlagId;

export const segmentCollection: Collection<StoredSegment> = {
  name: 'segments',
  schemaVersion: 1,
  index: (segment) => ({
    living: isPresent(segment),
    ...(isPresent(segment) ? usesOf(referencesOf(segment.definition)) : {}),
  }),
};

/** What views get of a document; undefined for one that never was a segment, where only refusals are remembered. */
export const segmentRecordOf = (
  id: string,
  { epoch, version }: Revision,
  segment: StoredSegment,
): SegmentRecord | undefined =>
  segment.status === 'absent'
    ? undefined
    : { key: splitSegmentId(id).key, epoch, version, segment: segmentOf(segment) };

/** The record that every view reads, on the topic of the environment's flags. */
export const segmentStateRecord: NonNullable<
  Aggregate<StoredSegment, AnySegmentCommand, SegmentEvent>['stateRecord']
> = (id, segment) => ({
  type: 'SegmentState',
  data: { ...splitSegmentId(id), segment: segmentOf(segment) },
  topic: stateTopic(splitSegmentId(id).environment),
});
