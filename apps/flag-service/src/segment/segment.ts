import type {
  DeleteSegment,
  PutSegment,
  Segment,
  SegmentDefinition,
  SegmentEvent,
} from '@tidegate/contracts';
import { canonicalJson, type Decider, type Decision, type Fact } from '@tidegate/kernel';
import type { Ref } from '../flag/flag-refusals.ts';
import { joinedBy, without } from '../flag/reliance.ts';
import { RECOVERED } from '../flag/recover-flag.ts';
import { type Known, NOTHING } from '../reference/known.ts';
import { segmentReferences } from '../reference/check.ts';
import type { AnySegmentCommand, RecoverSegment } from './recover-segment.ts';
import { holdSegment, releaseSegment } from './segment-hold.ts';
import {
  inUse,
  segmentConflict,
  segmentHeld,
  segmentLimit,
  segmentTooLarge,
  segmentUnknown,
} from './segment-refusals.ts';
import {
  isPresent,
  type LivingSegment,
  segmentOf,
  storedSegment,
  type StoredSegment,
} from './stored-segment.ts';

/** The facts that follow, at most one, so that versions count facts; none if nothing changes. */
function decide(
  command: AnySegmentCommand,
  segment: StoredSegment,
  known: Known,
): Decision<SegmentEvent> {
  if (command.type === 'RecoverSegment') return recover(command, segment);
  if (command.type === 'PutSegment') return put(command, segment, known);
  if (!isPresent(segment)) return segmentUnknown(command.data);
  switch (command.type) {
    case 'DeleteSegment':
      return remove(command, segment, known);
    case 'HoldSegment':
      return holdSegment(command, segment);
    case 'ReleaseSegment':
      return releaseSegment(command, segment);
  }
}

function put({ data }: PutSegment, segment: StoredSegment, known: Known): Decision<SegmentEvent> {
  const { definition } = data;
  const refused =
    segmentConflict(data, segment) ??
    segmentTooLarge(definition) ??
    segmentReferences(data, definition, known);
  if (refused) return refused;
  const after: Segment = { ...segmentOf(segment), definition };
  if (!isPresent(segment))
    return (
      segmentLimit(data, known.count) ?? [
        { type: 'SegmentCreated', data: { ...refOf(data), after, ...why(data) } },
      ]
    );
  if (equal(definition, segment.definition)) return [];
  const held = segmentHeld(data, segment);
  if (held && !equal(served(definition), served(segment.definition))) return held;
  const before = present(segment);
  return [{ type: 'SegmentChanged', data: { ...refOf(data), before, after, ...why(data) } }];
}

function remove(
  { data }: DeleteSegment,
  segment: LivingSegment,
  known: Known,
): Decision<SegmentEvent> {
  const refused =
    segmentConflict(data, segment) ?? segmentHeld(data, segment) ?? inUse(data, known.users);
  if (refused) return refused;
  const before = present(segment);
  return [{ type: 'SegmentDeleted', data: { ...refOf(data), before, reason: data.reason } }];
}

/** Takes over what the state topic says, whatever the store has: it is what everybody was served last. */
function recover({ data }: RecoverSegment, segment: StoredSegment): Decision<SegmentEvent> {
  const before = segmentOf(segment);
  const { segment: after, from } = data;
  if (equal(before, after)) return [];
  const reason = RECOVERED;
  return [{ type: 'SegmentRecovered', data: { ...refOf(data), before, after, reason, from } }];
}

const refOf = ({ environment, key }: Ref): Ref => ({ environment, key });
const why = ({ reason }: { readonly reason?: string | undefined }): { reason?: string } =>
  reason === undefined ? {} : { reason };
const equal = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);
const present = (segment: LivingSegment): Segment => segmentOf(segment) as Segment;

/** What decides who is in it; the rest of a definition only describes the segment to people. */
function served(definition: SegmentDefinition): Partial<SegmentDefinition> {
  const { owner: _owner, description: _about, tags: _tags, ...rest } = definition;
  return rest;
}

function evolve(segment: StoredSegment, fact: Fact<SegmentEvent>): StoredSegment {
  const version = segment.version + 1;
  switch (fact.type) {
    case 'SegmentDeleted':
      return { status: 'deleted', version };
    case 'SegmentRecovered':
      return fact.data.after
        ? storedSegment(fact.data.after, version)
        : { status: 'deleted', version };
    case 'SegmentCreated':
    case 'SegmentChanged':
      return storedSegment(fact.data.after, version);
    case 'SegmentHeld':
    case 'SegmentReleased': {
      const now = segmentOf(segment);
      return now ? storedSegment(relying(now, fact), version) : segment;
    }
  }
}

type OfRollout = Extract<SegmentEvent, { type: 'SegmentHeld' | 'SegmentReleased' }>;

/** Who relies on it from such a fact on. */
function relying({ reliedOn, ...segment }: Segment, { type, data }: OfRollout): Segment {
  if (type === 'SegmentHeld') return { ...segment, ...joinedBy(reliedOn, data.rollout) };
  const freed = data.rollouts ?? (data.rollout ? [data.rollout] : (reliedOn ?? []));
  return { ...segment, ...without(reliedOn, freed) };
}

export type SegmentDecider = Decider<StoredSegment, AnySegmentCommand, SegmentEvent>;

/** The rules, for one command: with what they must know of other documents. */
export const segmentDeciderKnowing = (known: Known): SegmentDecider => ({
  initial: { status: 'absent', version: 0 },
  decide: (command, segment) => decide(command, segment, known),
  evolve,
});

export const segmentDecider = segmentDeciderKnowing(NOTHING);
