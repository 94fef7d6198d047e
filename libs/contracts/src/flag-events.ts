import { z } from 'zod';
import { answerExample, answerFields, name, rolloutRef } from './fields.ts';
import {
  definitionExample,
  flagMessage,
  flagRef,
  flagRefExample,
  rolloutExample,
} from './flag-message.ts';
import { disabledBecause, flag, flagDefinition, scheduledChange } from './flag.ts';
import { defineMessage, type DraftOf, type MessageOf } from './message.ts';

const changeReason = { reason: z.string().optional(), rollout: rolloutRef.optional() };

export const FlagCreated = flagMessage('FlagCreated', 'created', {
  topic: 'flag.events',
  schema: z.object({ ...flagRef, after: flag, ...changeReason }),
  example: { after: { definition: definitionExample, salt: 'c2FsdA' } },
});
export const FlagChanged = flagMessage('FlagChanged', 'changed', {
  topic: 'flag.events',
  schema: z.object({ ...flagRef, before: flag, after: flag, ...changeReason }),
  example: {
    before: { definition: definitionExample, salt: 'c2FsdA' },
    after: {
      definition: { ...definitionExample, exposure: { variant: 'on', percentage: 50_000 } },
      salt: 'c2FsdA',
    },
    rollout: rolloutExample,
  },
});
export const FlagRestored = flagMessage('FlagRestored', 'restored', {
  topic: 'flag.events',
  schema: z.object({ ...flagRef, before: flag, after: flag, ...changeReason }),
  example: {
    before: {
      definition: { ...definitionExample, exposure: { variant: 'on', percentage: 50_000 } },
      salt: 'c2FsdA',
    },
    after: { definition: definitionExample, salt: 'c2FsdA' },
    reason: 'rollback of r-42',
    rollout: { id: 'r-42', generation: 2 },
  },
});
export const FlagDisabled = flagMessage('FlagDisabled', 'disabled', {
  topic: 'flag.events',
  schema: z.object({
    ...flagRef,
    disabled: disabledBecause,
    rollout: rolloutRef.optional(),
    /** The entry of the schedule by which it came; without one, whatever was to enable the flag later is dropped. */
    scheduled: scheduledChange.optional(),
  }),
  example: { disabled: { reason: 'checkout is down', at: 1_790_000_000_000, by: 'alex' } },
});
export const FlagEnabled = flagMessage('FlagEnabled', 'enabled', {
  topic: 'flag.events',
  schema: z.object({
    ...flagRef,
    ...changeReason,
    /** The entry of the schedule by which it came. */
    scheduled: scheduledChange.optional(),
  }),
  example: { reason: 'cause found and fixed' },
});
const scheduledExample = {
  at: 1_790_000_000_000,
  change: 'enable' as const,
  reason: 'the campaign begins',
  by: 'alex',
};
/** All that is scheduled from now on, in order of time. */
export const FlagScheduled = flagMessage('FlagScheduled', 'scheduled', {
  topic: 'flag.events',
  schema: z.object({ ...flagRef, schedule: z.array(scheduledChange) }),
  example: { schedule: [scheduledExample] },
});
/** The time of an entry had come, but it could not be done, or there was nothing to do: it is dropped. */
export const FlagScheduleSkipped = flagMessage('FlagScheduleSkipped', 'schedule-skipped', {
  topic: 'flag.events',
  schema: z.object({
    ...flagRef,
    scheduled: scheduledChange,
    code: z.string(),
    reason: z.string(),
  }),
  example: {
    scheduled: scheduledExample,
    code: 'FLAG_HELD',
    reason: 'Rollout r-42 holds checkout-v2 in production.',
  },
});
/** Answers HoldFlag, with the definition that a rollback will put back. */
export const FlagHeld = flagMessage('FlagHeld', 'held', {
  topic: 'flag.events',
  schema: z.object({
    ...flagRef,
    rollout: rolloutRef,
    definition: flagDefinition,
    disabled: z.boolean(),
    closeIfSilentMs: z.int().min(1).optional(),
    /** The rollout of another flag relies on this one; it holds its own. */
    asReference: z.boolean().optional(),
  }),
  example: { rollout: rolloutExample, definition: definitionExample, disabled: false },
});
export const FlagReleased = flagMessage('FlagReleased', 'released', {
  topic: 'flag.events',
  schema: z.object({
    ...flagRef,
    rollout: rolloutRef,
    reason: z.string(),
    /** All that relied on the flag, where an admin has freed it from several at once; `rollout` is one of them. */
    rollouts: z.array(rolloutRef).optional(),
  }),
  example: { rollout: rolloutExample, reason: 'rollout completed' },
});
export const FlagDeleted = flagMessage('FlagDeleted', 'deleted', {
  topic: 'flag.events',
  schema: z.object({ ...flagRef, before: flag, reason: z.string() }),
  example: {
    before: { definition: definitionExample, salt: 'c2FsdA' },
    reason: 'everyone has had it for a month',
  },
});
/** A state that the store had lost was taken over from the state topic; `from` is that state's revision. */
export const FlagRecovered = flagMessage('FlagRecovered', 'recovered', {
  topic: 'flag.events',
  schema: z.object({
    ...flagRef,
    before: flag.nullable(),
    after: flag.nullable(),
    reason: z.string(),
    from: z.object({ epoch: z.int().min(1), version: z.int().min(1) }),
  }),
  example: {
    before: { definition: definitionExample, salt: 'c2FsdA' },
    after: {
      definition: definitionExample,
      salt: 'c2FsdA',
      disabled: { reason: 'checkout is down', at: 1_790_000_000_000, by: 'alex' },
    },
    reason: 'recovered from the state topic after an older backup was put back',
    from: { epoch: 1, version: 7 },
  },
});
export const FlagCommandAnswered = flagMessage('FlagCommandAnswered', 'command-answered', {
  topic: 'flag.events',
  schema: z.object({ ...flagRef, ...answerFields }),
  example: answerExample,
});

/** A view's record: the whole flag, or null once deleted. Ordered by `metadata.revision`. */
export const FlagState = defineMessage({
  type: 'FlagState',
  wire: 'tidegate.flag.state.v1',
  kind: 'state',
  topic: 'flag.state',
  schema: z.object({ ...flagRef, flag: flag.nullable() }),
  key: (data) => data.key,
  example: { ...flagRefExample, flag: { definition: definitionExample, salt: 'c2FsdA' } },
});
export type FlagState = MessageOf<typeof FlagState>;

export const EnvironmentChanged = defineMessage({
  type: 'EnvironmentChanged',
  wire: 'tidegate.environment.changed.v1',
  kind: 'event',
  topic: 'flag.events',
  schema: z.object({ environment: name, description: z.string().optional() }),
  key: (data) => data.environment,
  example: { environment: 'production' },
});
export const EnvironmentCommandAnswered = defineMessage({
  type: 'EnvironmentCommandAnswered',
  wire: 'tidegate.environment.command-answered.v1',
  kind: 'event',
  topic: 'flag.events',
  schema: z.object({ environment: name, ...answerFields }),
  key: (data) => data.environment,
  example: { environment: 'production', ...answerExample },
});

export type FlagEvent =
  | DraftOf<typeof FlagCreated>
  | DraftOf<typeof FlagChanged>
  | DraftOf<typeof FlagRestored>
  | DraftOf<typeof FlagDisabled>
  | DraftOf<typeof FlagEnabled>
  | DraftOf<typeof FlagHeld>
  | DraftOf<typeof FlagReleased>
  | DraftOf<typeof FlagDeleted>
  | DraftOf<typeof FlagRecovered>
  | DraftOf<typeof FlagScheduled>
  | DraftOf<typeof FlagScheduleSkipped>;
