import type { SegmentDefinition } from '@tidegate/contracts';
import { isDeeper, MAX_JSON_DEPTH, reject, type Rejection } from '@tidegate/kernel';
import { type Ref, tooDeep } from '../flag/flag-refusals.ts';
import type { Users } from '../reference/known.ts';
import { isPresent, type LivingSegment, type StoredSegment } from './stored-segment.ts';

export const segmentUnknown = ({ environment, key }: Ref): Rejection =>
  reject('SEGMENT_UNKNOWN', `There is no segment ${key} in ${environment}.`);

export function segmentConflict(
  { key, expectedVersion }: Ref & { readonly expectedVersion?: number | undefined },
  segment: StoredSegment,
): Rejection | undefined {
  const version = isPresent(segment) ? segment.version : 0;
  if (expectedVersion === undefined || expectedVersion === version) return undefined;
  return reject(
    'SEGMENT_VERSION_CONFLICT',
    version === 0
      ? `There is no segment ${key}, but version ${expectedVersion} was expected.`
      : expectedVersion === 0
        ? `There is a segment ${key} already, at version ${version}.`
        : `Segment ${key} is at version ${version}, not ${expectedVersion}: somebody changed it meanwhile.`,
  );
}

export const segmentHeld = (
  { environment, key }: Ref,
  { reliedOn = [] }: LivingSegment,
): Rejection | undefined =>
  reliedOn.length === 0
    ? undefined
    : reject(
        'SEGMENT_HELD',
        `Rollout ${reliedOn.map(({ id }) => id).join(', ')} relies on segment ${key} in ${environment}. Until it ends ` +
          'or an admin releases the segment, nobody may be moved in or out.',
      );

export function inUse(
  { environment, key }: Ref,
  { flags, segments }: Users,
): Rejection | undefined {
  const users = [
    ...flags.map((flag) => `flag ${flag}`),
    ...segments.map((segment) => `segment ${segment}`),
  ];
  return users.length === 0
    ? undefined
    : reject(
        'SEGMENT_IN_USE',
        `Segment ${key} in ${environment} is used by ${users.join(', ')}. Take it out of them first.`,
      );
}

const utf8 = new TextEncoder();
/** A change tells before and after in one message of at most 1 MiB: what was let in can always be changed back. */
const MAX_SEGMENT_BYTES = 480 * 1_024;

export function segmentTooLarge(definition: SegmentDefinition): Rejection | undefined {
  const text = JSON.stringify(definition);
  if (isDeeper(text, MAX_JSON_DEPTH)) return tooDeep('SEGMENT_INVALID');
  const bytes = utf8.encode(text).length;
  return bytes <= MAX_SEGMENT_BYTES
    ? undefined
    : reject(
        'SEGMENT_TOO_LARGE',
        `The definition has ${bytes} bytes; expected at most ${MAX_SEGMENT_BYTES}. Tell the users apart by an attribute instead.`,
      );
}

export const MAX_SEGMENTS = 1_000;

export const segmentLimit = ({ environment }: Ref, count: number): Rejection | undefined =>
  count < MAX_SEGMENTS
    ? undefined
    : reject(
        'SEGMENT_LIMIT_REACHED',
        `${environment} has ${count} segments; at most ${MAX_SEGMENTS} are kept. Delete those that no flag uses.`,
      );
