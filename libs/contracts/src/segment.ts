import { z } from 'zod';
import { condition } from './condition.ts';
import { answerExample, answerFields, name, reason, rolloutRef } from './fields.ts';
import { rolloutExample } from './flag-message.ts';
import { defineMessage, type DraftOf, type MessageOf } from './message.ts';

/**
 * A condition that flags share. In this order: excluded keys are not in it, members are, then `when` decides; without
 * `when` nobody else is.
 */
export const segmentDefinition = z.object({
  members: z.array(z.string().min(1)).max(10_000).default([]),
  excluded: z.array(z.string().min(1)).max(10_000).default([]),
  when: condition.optional(),
  owner: z.string().max(200).optional(),
  description: z.string().max(2_000).optional(),
  tags: z.array(name).max(50).default([]),
});
export type SegmentDefinition = z.output<typeof segmentDefinition>;

/** A segment as every view holds it. */
export const segment = z.object({
  definition: segmentDefinition,
  /** Rollouts whose flags refer to it: until they end, nothing may move anyone in or out. */
  reliedOn: z.array(rolloutRef).optional(),
});
export type Segment = z.output<typeof segment>;

const TEN_MINUTES = 600_000;
const segmentRef = { environment: name, key: name };
const refExample = { environment: 'production', key: 'beta-users' };
const example: z.input<typeof segmentDefinition> = {
  members: ['ada'],
  when: { attribute: 'plan', operator: 'equals', value: 'pro' },
};

const segmentMessage = <const T extends string, S extends z.ZodRawShape>(
  type: T,
  wire: string,
  kind: 'command' | 'event',
  shape: S,
  of: z.input<z.ZodObject<S>>,
  maxAgeMs?: number,
) =>
  defineMessage<T, z.ZodObject<typeof segmentRef & S>>({
    type,
    wire: `tidegate.segment.${wire}.v1`,
    kind,
    topic: kind === 'event' ? 'flag.events' : 'flag.commands',
    schema: z.object({ ...segmentRef, ...shape }),
    key: (data) => {
      const { environment, key } = data as { environment: string; key: string };
      return segmentMessageKey(environment, key);
    },
    example: { ...refExample, ...of } as z.input<z.ZodObject<typeof segmentRef & S>>,
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
  });

/** Names have no slash: no flag has such a key. */
export const segmentStateKey = (key: string): string => `segments/${key}`;
const segmentMessageKey = (environment: string, key: string): string =>
  `${environment}/${segmentStateKey(key)}`;

export const PutSegment = segmentMessage(
  'PutSegment',
  'put',
  'command',
  {
    definition: segmentDefinition,
    /** Refused unless the segment is at this version; 0 = must not exist. */
    expectedVersion: z.int().min(0).optional(),
    reason: reason.optional(),
  },
  { definition: example },
  TEN_MINUTES,
);
export type PutSegment = MessageOf<typeof PutSegment>;

/** Refused while a flag or another segment refers to it. */
export const DeleteSegment = segmentMessage(
  'DeleteSegment',
  'delete',
  'command',
  { reason, expectedVersion: z.int().min(1).optional() },
  { reason: 'no flag asks for it any more' },
  TEN_MINUTES,
);
export type DeleteSegment = MessageOf<typeof DeleteSegment>;

/** Any number of rollouts may rely on a segment at once. */
export const HoldSegment = segmentMessage(
  'HoldSegment',
  'hold',
  'command',
  {
    rollout: rolloutRef,
    /** Who holds it already is told once more how it is. */ tellAgain: z.boolean().optional(),
  },
  { rollout: rolloutExample },
  TEN_MINUTES,
);
export type HoldSegment = MessageOf<typeof HoldSegment>;

/** Without `rollout`: an admin frees the segment from whatever relies on it. */
export const ReleaseSegment = segmentMessage(
  'ReleaseSegment',
  'release',
  'command',
  { rollout: rolloutRef.optional(), reason },
  { rollout: rolloutExample, reason: 'rollout completed' },
);
export type ReleaseSegment = MessageOf<typeof ReleaseSegment>;

const changeReason = { reason: z.string().optional() };
export const SegmentCreated = segmentMessage(
  'SegmentCreated',
  'created',
  'event',
  { after: segment, ...changeReason },
  { after: { definition: example } },
);
export const SegmentChanged = segmentMessage(
  'SegmentChanged',
  'changed',
  'event',
  { before: segment, after: segment, ...changeReason },
  { before: { definition: {} }, after: { definition: example }, reason: 'paying users too' },
);
export const SegmentDeleted = segmentMessage(
  'SegmentDeleted',
  'deleted',
  'event',
  { before: segment, reason: z.string() },
  { before: { definition: example }, reason: 'no flag asks for it any more' },
);
/** Answers HoldSegment, with the definition that the rollout relies on. */
export const SegmentHeld = segmentMessage(
  'SegmentHeld',
  'held',
  'event',
  { rollout: rolloutRef, definition: segmentDefinition },
  { rollout: rolloutExample, definition: example },
);
/** Without `rollout`: of all that relied on it. */
export const SegmentReleased = segmentMessage(
  'SegmentReleased',
  'released',
  'event',
  {
    rollout: rolloutRef.optional(),
    reason: z.string(),
    /** All that relied on it, where an admin has freed it. */
    rollouts: z.array(rolloutRef).optional(),
  },
  { rollout: rolloutExample, reason: 'rollout completed' },
);
/** A state that the store had lost was taken over from the state topic; `from` is that state's revision. */
export const SegmentRecovered = segmentMessage(
  'SegmentRecovered',
  'recovered',
  'event',
  {
    before: segment.nullable(),
    after: segment.nullable(),
    reason: z.string(),
    from: z.object({ epoch: z.int().min(1), version: z.int().min(1) }),
  },
  {
    before: null,
    after: { definition: example },
    reason: 'recovered from the state topic after an older backup was put back',
    from: { epoch: 1, version: 2 },
  },
);
export const SegmentCommandAnswered = segmentMessage(
  'SegmentCommandAnswered',
  'command-answered',
  'event',
  answerFields,
  { ...answerExample, command: { ...answerExample.command, type: 'HoldSegment' } },
);

/** A view's record, on the topic of the flags' states: the whole segment, or null once deleted. */
export const SegmentState = defineMessage({
  type: 'SegmentState',
  wire: 'tidegate.segment.state.v1',
  kind: 'state',
  topic: 'flag.state',
  schema: z.object({ ...segmentRef, segment: segment.nullable() }),
  key: (data) => segmentStateKey(data.key),
  example: { ...refExample, segment: { definition: example } },
});
export type SegmentState = MessageOf<typeof SegmentState>;

export type SegmentCommand = PutSegment | DeleteSegment | HoldSegment | ReleaseSegment;
export type SegmentEvent =
  | DraftOf<typeof SegmentCreated>
  | DraftOf<typeof SegmentChanged>
  | DraftOf<typeof SegmentDeleted>
  | DraftOf<typeof SegmentHeld>
  | DraftOf<typeof SegmentReleased>
  | DraftOf<typeof SegmentRecovered>;
