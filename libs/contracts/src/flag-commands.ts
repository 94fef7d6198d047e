import { z } from 'zod';
import { name, reason, rolloutRef, thousandths, variantName } from './fields.ts';
import { definitionExample, flagMessage, flagRef, rolloutExample } from './flag-message.ts';
import { disabledBecause, flagDefinition, scheduledChange } from './flag.ts';
import { defineMessage, type MessageOf } from './message.ts';

const TEN_MINUTES = 600_000;

export const PutFlag = flagMessage('PutFlag', 'put', {
  topic: 'flag.commands',
  schema: z.object({
    ...flagRef,
    definition: flagDefinition,
    /** Used if this creates the flag; random, made at the edge. */
    salt: z.string().min(1),
    /** Used if this creates the flag: one that was off when it was deleted comes back off. */
    disabled: disabledBecause.optional(),
    /** Refused unless the flag is at this version; 0 = must not exist. */
    expectedVersion: z.int().min(0).optional(),
    reason: reason.optional(),
  }),
  example: { definition: definitionExample, salt: 'c2FsdA' },
  maxAgeMs: TEN_MINUTES,
});
export type PutFlag = MessageOf<typeof PutFlag>;

export const DeleteFlag = flagMessage('DeleteFlag', 'delete', {
  topic: 'flag.commands',
  schema: z.object({ ...flagRef, reason, expectedVersion: z.int().min(1).optional() }),
  example: { reason: 'everyone has had it for a month' },
  maxAgeMs: TEN_MINUTES,
});
export type DeleteFlag = MessageOf<typeof DeleteFlag>;

/** Without it nobody watches the watcher. */
const closeIfSilentMs = z.int().min(1).optional();

/**
 * A stage's command: only of the rollout that holds the flag. What is left out stays as it is, but for
 * `closeIfSilentMs`, which holds for this stage alone.
 */
export const SetExposure = flagMessage('SetExposure', 'set-exposure', {
  topic: 'flag.commands',
  schema: z.object({
    ...flagRef,
    rollout: rolloutRef,
    step: z.string(),
    percentage: thousandths.optional(),
    variant: variantName.optional(),
    allowedUsers: z.array(z.string().min(1)).optional(),
    closeIfSilentMs,
  }),
  example: { rollout: rolloutExample, step: 'canary', percentage: 10_000 },
  maxAgeMs: TEN_MINUTES,
});
export type SetExposure = MessageOf<typeof SetExposure>;

export const HoldFlag = flagMessage('HoldFlag', 'hold', {
  topic: 'flag.commands',
  schema: z.object({
    ...flagRef,
    rollout: rolloutRef,
    /** Of the stage that is open already, where the flag is held again. */
    closeIfSilentMs,
    /** Who holds the flag already is told once more how it is. */
    tellAgain: z.boolean().optional(),
    /** Of a prerequisite: the rollout does not change this flag, and nobody else may move its users meanwhile. */
    asReference: z.boolean().optional(),
  }),
  example: { rollout: rolloutExample },
  maxAgeMs: TEN_MINUTES,
});
export type HoldFlag = MessageOf<typeof HoldFlag>;

/** Without `rollout`: an admin frees the flag from whatever holds it. */
export const ReleaseFlag = flagMessage('ReleaseFlag', 'release', {
  topic: 'flag.commands',
  schema: z.object({ ...flagRef, rollout: rolloutRef.optional(), reason }),
  example: { rollout: rolloutExample, reason: 'rollout completed' },
});
export type ReleaseFlag = MessageOf<typeof ReleaseFlag>;

export const EnableFlag = flagMessage('EnableFlag', 'enable', {
  topic: 'flag.commands',
  schema: z.object({ ...flagRef, reason, expectedVersion: z.int().min(1).optional() }),
  example: { reason: 'cause found and fixed' },
  maxAgeMs: TEN_MINUTES,
});
export type EnableFlag = MessageOf<typeof EnableFlag>;

/** The kill: never refused for a hold, a generation or an age. */
export const DisableFlag = flagMessage('DisableFlag', 'disable', {
  topic: 'kills',
  schema: z.object({ ...flagRef, reason, rollout: rolloutRef.optional() }),
  example: { reason: 'error rate 5.1 % over the limit of 1 %', rollout: rolloutExample },
});
export type DisableFlag = MessageOf<typeof DisableFlag>;

/** Puts an earlier definition back. Never enables: what someone disabled stays disabled. */
export const RestoreFlag = flagMessage('RestoreFlag', 'restore', {
  topic: 'kills',
  schema: z.object({
    ...flagRef,
    definition: flagDefinition,
    reason,
    rollout: rolloutRef.optional(),
    /** Refused unless the flag is at this version. A rollout goes back whatever the version is. */
    expectedVersion: z.int().min(1).optional(),
  }),
  example: {
    definition: definitionExample,
    reason: 'rollback of r-42',
    rollout: { id: 'r-42', generation: 2 },
  },
});
export type RestoreFlag = MessageOf<typeof RestoreFlag>;

/** Replaces all that was scheduled; what stays as it was keeps who asked for it. */
export const ScheduleFlag = flagMessage('ScheduleFlag', 'schedule', {
  topic: 'flag.commands',
  schema: z.object({
    ...flagRef,
    /** In any order; each in the future, no two at the same moment. */
    schedule: z.array(scheduledChange.omit({ by: true })).max(20),
    expectedVersion: z.int().min(1).optional(),
  }),
  example: {
    schedule: [{ at: 1_790_000_000_000, change: 'enable', reason: 'the campaign begins' }],
  },
  maxAgeMs: TEN_MINUTES,
});
export type ScheduleFlag = MessageOf<typeof ScheduleFlag>;

export const PutEnvironment = defineMessage({
  type: 'PutEnvironment',
  wire: 'tidegate.environment.put.v1',
  kind: 'command',
  topic: 'flag.commands',
  schema: z.object({ environment: name, description: z.string().max(2_000).optional() }),
  key: (data) => data.environment,
  maxAgeMs: TEN_MINUTES,
  example: { environment: 'production' },
});
export type PutEnvironment = MessageOf<typeof PutEnvironment>;

export type FlagCommand =
  | PutFlag
  | DeleteFlag
  | SetExposure
  | HoldFlag
  | ReleaseFlag
  | EnableFlag
  | DisableFlag
  | RestoreFlag
  | ScheduleFlag;
