import { z } from 'zod';
import {
  answerExample,
  answerFields,
  millis,
  name,
  reason,
  rolloutRef,
  thousandths,
} from './fields.ts';
import { defineMessage, type DraftOf, type MessageOf } from './message.ts';

/** What a variant answers with. `null` is no value: OpenFeature cannot tell it from absence. */
const variantValue = z.union([
  z.boolean(),
  z.string(),
  z.number(),
  z.record(z.string(), z.json()),
  z.array(z.json()),
]);

export const flagTypes = ['boolean', 'string', 'number', 'object', 'mode'] as const;
export const modes = ['off', 'warn', 'enforce'] as const;

const matchesType = {
  boolean: (value: unknown) => typeof value === 'boolean',
  string: (value: unknown) => typeof value === 'string',
  number: (value: unknown) => typeof value === 'number',
  object: (value: unknown) => typeof value === 'object',
  mode: (value: unknown) => modes.some((mode) => mode === value),
};

/**
 * What people write. A unit that the exposure covers (or that is allowed) is served `exposure.variant`,
 * everyone else `defaultVariant`; a disabled flag serves `offVariant` to all.
 */
export const flagDefinition = z
  .object({
    type: z.enum(flagTypes),
    variants: z.record(name, variantValue),
    defaultVariant: name,
    offVariant: name,
    exposure: z.object({ variant: name, percentage: thousandths }),
    allowedUsers: z.array(z.string().min(1)).max(10_000).default([]),
    deniedUsers: z.array(z.string().min(1)).max(10_000).default([]),
    settings: z.record(z.string(), z.json()).default({}),
    owner: z.string().max(200).optional(),
    description: z.string().max(2_000).optional(),
    tags: z.array(name).max(50).default([]),
    /** ms since 1970. */
    expiresAt: millis.optional(),
  })
  .superRefine((flag, context) => {
    const named = {
      defaultVariant: flag.defaultVariant,
      offVariant: flag.offVariant,
      'exposure.variant': flag.exposure.variant,
    };
    for (const [field, variant] of Object.entries(named))
      if (!Object.hasOwn(flag.variants, variant))
        context.addIssue({
          code: 'custom',
          path: field.split('.'),
          message: `there is no variant "${variant}"; expected one of ${Object.keys(flag.variants).join(', ')}`,
        });
    for (const [variant, value] of Object.entries(flag.variants))
      if (!matchesType[flag.type](value))
        context.addIssue({
          code: 'custom',
          path: ['variants', variant],
          message: `expected a ${flag.type === 'mode' ? 'mode (off, warn or enforce)' : flag.type}`,
        });
  });
export type FlagDefinition = z.output<typeof flagDefinition>;

/** Why a flag is off, and who turned it off. `at` in ms since 1970. */
const disabled = z.object({ reason: z.string(), at: millis, by: z.string() });

/** A flag as every view holds it. The salt is stored, random once, so that no edit moves a user. */
export const flag = z.object({
  definition: flagDefinition,
  salt: z.string().min(1),
  disabled: disabled.optional(),
  /** The rollout that holds the flag: changes that could move a user are refused but for its own. */
  hold: z.object({ rollout: rolloutRef, since: millis, step: z.string().optional() }).optional(),
});
export type Flag = z.output<typeof flag>;

const ref = { environment: name, key: name };
const flagKey = (data: { environment: string; key: string }) => `${data.environment}/${data.key}`;
const example = { environment: 'production', key: 'checkout-v2' };
const definitionExample = {
  type: 'boolean' as const,
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 10_000 },
};
const rolloutExample = { id: 'r-42', generation: 1 };
const message = <const T extends string, S extends z.ZodObject<typeof ref>>(
  type: T,
  wire: string,
  rest: {
    topic: 'kills' | 'flag.commands' | 'flag.events';
    schema: S;
    example: Omit<z.input<S>, 'environment' | 'key'>;
    maxAgeMs?: number;
  },
) =>
  defineMessage<T, S>({
    type,
    wire: `tidegate.flag.${wire}.v1`,
    kind: rest.topic === 'flag.events' ? 'event' : 'command',
    topic: rest.topic,
    schema: rest.schema,
    key: flagKey as (data: z.output<S>) => string,
    example: { ...example, ...rest.example } as z.input<S>,
    ...(rest.maxAgeMs === undefined ? {} : { maxAgeMs: rest.maxAgeMs }),
  });

const TEN_MINUTES = 600_000;

export const PutFlag = message('PutFlag', 'put', {
  topic: 'flag.commands',
  schema: z.object({
    ...ref,
    definition: flagDefinition,
    /** Used if this creates the flag; random, made at the edge. */
    salt: z.string().min(1),
    /** Refused unless the flag is at this version; 0 = must not exist. */
    expectedVersion: z.int().min(0).optional(),
    reason: reason.optional(),
  }),
  example: { definition: definitionExample, salt: 'c2FsdA' },
  maxAgeMs: TEN_MINUTES,
});
export type PutFlag = MessageOf<typeof PutFlag>;

export const DeleteFlag = message('DeleteFlag', 'delete', {
  topic: 'flag.commands',
  schema: z.object({ ...ref, reason, expectedVersion: z.int().min(1).optional() }),
  example: { reason: 'everyone has had it for a month' },
  maxAgeMs: TEN_MINUTES,
});
export type DeleteFlag = MessageOf<typeof DeleteFlag>;

/** A stage's command: only of the rollout that holds the flag. What is left out stays as it is. */
export const SetExposure = message('SetExposure', 'set-exposure', {
  topic: 'flag.commands',
  schema: z.object({
    ...ref,
    rollout: rolloutRef,
    step: z.string(),
    percentage: thousandths.optional(),
    variant: name.optional(),
    allowedUsers: z.array(z.string().min(1)).optional(),
  }),
  example: { rollout: rolloutExample, step: 'canary', percentage: 10_000 },
  maxAgeMs: TEN_MINUTES,
});
export type SetExposure = MessageOf<typeof SetExposure>;

export const HoldFlag = message('HoldFlag', 'hold', {
  topic: 'flag.commands',
  schema: z.object({ ...ref, rollout: rolloutRef }),
  example: { rollout: rolloutExample },
  maxAgeMs: TEN_MINUTES,
});
export type HoldFlag = MessageOf<typeof HoldFlag>;

/** Without `rollout`: an admin frees the flag from whatever holds it. */
export const ReleaseFlag = message('ReleaseFlag', 'release', {
  topic: 'flag.commands',
  schema: z.object({ ...ref, rollout: rolloutRef.optional(), reason }),
  example: { rollout: rolloutExample, reason: 'rollout completed' },
});
export type ReleaseFlag = MessageOf<typeof ReleaseFlag>;

export const EnableFlag = message('EnableFlag', 'enable', {
  topic: 'flag.commands',
  schema: z.object({ ...ref, reason }),
  example: { reason: 'cause found and fixed' },
  maxAgeMs: TEN_MINUTES,
});
export type EnableFlag = MessageOf<typeof EnableFlag>;

/** The kill: never refused for a hold, a generation or an age. */
export const DisableFlag = message('DisableFlag', 'disable', {
  topic: 'kills',
  schema: z.object({ ...ref, reason, rollout: rolloutRef.optional() }),
  example: { reason: 'error rate 5.1 % over the limit of 1 %', rollout: rolloutExample },
});
export type DisableFlag = MessageOf<typeof DisableFlag>;

/** Puts an earlier definition back. Never enables: what someone disabled stays disabled. */
export const RestoreFlag = message('RestoreFlag', 'restore', {
  topic: 'kills',
  schema: z.object({
    ...ref,
    definition: flagDefinition,
    reason,
    rollout: rolloutRef.optional(),
  }),
  example: {
    definition: definitionExample,
    reason: 'rollback of r-42',
    rollout: { id: 'r-42', generation: 2 },
  },
});
export type RestoreFlag = MessageOf<typeof RestoreFlag>;

const changeReason = { reason: z.string().optional(), rollout: rolloutRef.optional() };

export const FlagCreated = message('FlagCreated', 'created', {
  topic: 'flag.events',
  schema: z.object({ ...ref, after: flag, ...changeReason }),
  example: { after: { definition: definitionExample, salt: 'c2FsdA' } },
});
export const FlagChanged = message('FlagChanged', 'changed', {
  topic: 'flag.events',
  schema: z.object({ ...ref, before: flag, after: flag, ...changeReason }),
  example: {
    before: { definition: definitionExample, salt: 'c2FsdA' },
    after: {
      definition: { ...definitionExample, exposure: { variant: 'on', percentage: 50_000 } },
      salt: 'c2FsdA',
    },
    rollout: rolloutExample,
  },
});
export const FlagRestored = message('FlagRestored', 'restored', {
  topic: 'flag.events',
  schema: z.object({ ...ref, before: flag, after: flag, ...changeReason }),
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
export const FlagDisabled = message('FlagDisabled', 'disabled', {
  topic: 'flag.events',
  schema: z.object({ ...ref, disabled, rollout: rolloutRef.optional() }),
  example: { disabled: { reason: 'checkout is down', at: 1_790_000_000_000, by: 'alex' } },
});
export const FlagEnabled = message('FlagEnabled', 'enabled', {
  topic: 'flag.events',
  schema: z.object({ ...ref, ...changeReason }),
  example: { reason: 'cause found and fixed' },
});
/** Answers HoldFlag, with the definition that a rollback will put back. */
export const FlagHeld = message('FlagHeld', 'held', {
  topic: 'flag.events',
  schema: z.object({
    ...ref,
    rollout: rolloutRef,
    definition: flagDefinition,
    disabled: z.boolean(),
  }),
  example: { rollout: rolloutExample, definition: definitionExample, disabled: false },
});
export const FlagReleased = message('FlagReleased', 'released', {
  topic: 'flag.events',
  schema: z.object({ ...ref, rollout: rolloutRef, reason: z.string() }),
  example: { rollout: rolloutExample, reason: 'rollout completed' },
});
export const FlagDeleted = message('FlagDeleted', 'deleted', {
  topic: 'flag.events',
  schema: z.object({ ...ref, before: flag, reason: z.string() }),
  example: {
    before: { definition: definitionExample, salt: 'c2FsdA' },
    reason: 'everyone has had it for a month',
  },
});
export const FlagCommandAnswered = message('FlagCommandAnswered', 'command-answered', {
  topic: 'flag.events',
  schema: z.object({ ...ref, ...answerFields }),
  example: answerExample,
});

/** A view's record: the whole flag, or null once deleted. Ordered by `metadata.revision`. */
export const FlagState = defineMessage({
  type: 'FlagState',
  wire: 'tidegate.flag.state.v1',
  kind: 'state',
  topic: 'flag.state',
  schema: z.object({ ...ref, flag: flag.nullable() }),
  key: (data) => data.key,
  example: { ...example, flag: { definition: definitionExample, salt: 'c2FsdA' } },
});
export type FlagState = MessageOf<typeof FlagState>;

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

export type FlagCommand =
  | PutFlag
  | DeleteFlag
  | SetExposure
  | HoldFlag
  | ReleaseFlag
  | EnableFlag
  | DisableFlag
  | RestoreFlag;
export type FlagEvent =
  | DraftOf<typeof FlagCreated>
  | DraftOf<typeof FlagChanged>
  | DraftOf<typeof FlagRestored>
  | DraftOf<typeof FlagDisabled>
  | DraftOf<typeof FlagEnabled>
  | DraftOf<typeof FlagHeld>
  | DraftOf<typeof FlagReleased>
  | DraftOf<typeof FlagDeleted>;
