import { z } from 'zod';
import { name, reason } from './fields.ts';
import { defineMessage, type MessageOf } from './message.ts';
import type { Topic } from './topics.ts';

const rolloutId = z.string().min(1);

const command = <const T extends string, S extends z.ZodType<{ rollout: string }>>(
  type: T,
  wire: string,
  rest: { topic?: Topic; schema: S; example: z.input<S>; maxAgeMs?: number },
) =>
  defineMessage<T, S>({
    type,
    wire: `tidegate.rollout.${wire}.v1`,
    kind: 'command',
    topic: rest.topic ?? 'rollout.commands',
    schema: rest.schema,
    key: (data) => data.rollout,
    example: rest.example,
    ...(rest.maxAgeMs === undefined ? {} : { maxAgeMs: rest.maxAgeMs }),
  });

/** The id is made at the edge, so that a repeated request starts one rollout. */
export const StartRollout = command('StartRollout', 'start', {
  schema: z.object({
    rollout: rolloutId,
    environment: name,
    plan: name,
    /** The newest if left out. */
    version: z.int().min(1).optional(),
    reason: reason.optional(),
  }),
  example: { rollout: 'r-42', environment: 'production', plan: 'demo-healthy' },
  maxAgeMs: 600_000,
});
export type StartRollout = MessageOf<typeof StartRollout>;

const byPerson = z.object({ rollout: rolloutId, reason });
const byPersonExample = { rollout: 'r-42', reason: 'seen enough' };

export const PauseRollout = command('PauseRollout', 'pause', {
  schema: byPerson,
  example: byPersonExample,
});
export type PauseRollout = MessageOf<typeof PauseRollout>;
export const ResumeRollout = command('ResumeRollout', 'resume', {
  schema: byPerson,
  example: byPersonExample,
  maxAgeMs: 600_000,
});
export type ResumeRollout = MessageOf<typeof ResumeRollout>;
/** Leaves the present step now, gates unasked; an open breach still refuses it. */
export const PromoteRollout = command('PromoteRollout', 'promote', {
  schema: byPerson,
  example: byPersonExample,
  maxAgeMs: 600_000,
});
export type PromoteRollout = MessageOf<typeof PromoteRollout>;
/** HTTP only; the actor in the metadata is the person. */
export const ApproveRollout = command('ApproveRollout', 'approve', {
  schema: z.object({ rollout: rolloutId, step: z.string(), reason: reason.optional() }),
  example: { rollout: 'r-42', step: 'review' },
});
export type ApproveRollout = MessageOf<typeof ApproveRollout>;
export const RollBack = command('RollBack', 'roll-back', {
  topic: 'kills',
  schema: byPerson,
  example: byPersonExample,
});
export type RollBack = MessageOf<typeof RollBack>;
export const AbortRollout = command('AbortRollout', 'abort', {
  topic: 'kills',
  schema: byPerson,
  example: byPersonExample,
});
export type AbortRollout = MessageOf<typeof AbortRollout>;

export type RolloutCommand =
  | StartRollout
  | PauseRollout
  | ResumeRollout
  | PromoteRollout
  | ApproveRollout
  | RollBack
  | AbortRollout;
