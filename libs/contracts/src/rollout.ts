import { z } from 'zod';
import { answerExample, answerFields, millis, name, reason, thousandths } from './fields.ts';
import { family } from './family.ts';
import { defineMessage, type DraftOf, type MessageOf } from './message.ts';
import type { Topic } from './topics.ts';
import { verdict, verdictExample } from './verdict.ts';

const rolloutId = z.string().min(1);
const of = {
  rollout: rolloutId,
  environment: name,
  plan: name,
  planVersion: z.int().min(1),
  flag: name,
};
const ofExample = {
  rollout: 'r-42',
  environment: 'production',
  plan: 'demo-healthy',
  planVersion: 3,
  flag: 'checkout-v2',
};
const at = { step: z.string(), index: z.int().min(0) };
const atExample = { step: 'canary', index: 1 };

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

const fact = family({
  noun: 'rollout',
  kind: 'event',
  topic: 'rollout.events',
  fields: of,
  example: ofExample,
  key: 'rollout',
});

/** α and the shares are pinned here: nothing later changes what a breach means. */
export const RolloutStarted = fact(
  'RolloutStarted',
  'started',
  {
    planHash: z.string(),
    risk: z.number(),
    shares: z.record(z.string(), z.number()),
    steps: z.array(z.object({ name: z.string(), kind: z.string() })),
    startedBy: z.string(),
  },
  {
    planHash: 'sha256:9b1c',
    risk: 0.01,
    shares: { 'error-rate@canary': 1 },
    steps: [{ name: 'canary', kind: 'stage' }],
    startedBy: 'alex',
  },
);
export const StepStarted = fact(
  'StepStarted',
  'step-started',
  { ...at, kind: z.string(), percentage: thousandths.optional() },
  { ...atExample, kind: 'stage', percentage: 10_000 },
);
/** `seconds` of covered time; verdicts that let it pass. */
export const StepCompleted = fact(
  'StepCompleted',
  'step-completed',
  {
    ...at,
    kind: z.string(),
    coveredMs: millis.optional(),
    verdicts: z.array(verdict).default([]),
    promotedBy: z.string().optional(),
  },
  { ...atExample, kind: 'stage', coveredMs: 10_000, verdicts: [verdictExample] },
);
export const ApprovalRequested = fact(
  'ApprovalRequested',
  'approval-requested',
  { ...at, role: z.string() },
  { ...atExample, role: 'approver' },
);
export const ApprovalGiven = fact(
  'ApprovalGiven',
  'approval-given',
  { ...at, by: z.string(), reason: z.string().optional() },
  { ...atExample, by: 'robin' },
);
/** Published when the reason changes, not at every check. `page`: a person must look now. */
export const RolloutHeld = fact(
  'RolloutHeld',
  'held',
  {
    ...at,
    reason: z.string(),
    message: z.string(),
    page: z.boolean(),
    verdicts: z.array(verdict).default([]),
  },
  { ...atExample, reason: 'no-requests', message: 'error-rate has seen no requests.', page: false },
);
export const RolloutPaused = fact(
  'RolloutPaused',
  'paused',
  { by: z.string(), reason: z.string() },
  { by: 'alex', reason: 'looking at the logs' },
);
export const RolloutResumed = fact(
  'RolloutResumed',
  'resumed',
  { by: z.string(), reason: z.string() },
  { by: 'alex', reason: 'harmless' },
);
export const RollbackStarted = fact(
  'RollbackStarted',
  'rollback-started',
  {
    generation: z.int(),
    reason: z.string(),
    message: z.string(),
    by: z.string(),
    breach: z.object({ id: z.string(), source: z.string() }).optional(),
    actions: z.array(z.string()),
  },
  {
    generation: 2,
    reason: 'error-rate-too-high',
    message: 'error-rate: 63 of 1 204 requests failed (5.2 %), limit 1 %.',
    by: 'metrics-gatekeeper',
    actions: ['restore-flag'],
  },
);
export const RollbackActionDone = fact(
  'RollbackActionDone',
  'rollback-action-done',
  {
    action: z.string(),
    outcome: z.enum(['done', 'failed', 'skipped']),
    message: z.string().optional(),
  },
  { action: 'restore-flag', outcome: 'done' },
);
const ended = { reason: z.string(), message: z.string() };
export const RolloutRolledBack = fact('RolloutRolledBack', 'rolled-back', ended, {
  reason: 'error-rate-too-high',
  message: 'The flag is as it was; the error rate is back at 0.1 %.',
});
/** The rollback is incomplete: always paged. */
export const RolloutFailed = fact('RolloutFailed', 'failed', ended, {
  reason: 'rollback-unanswered',
  message: 'flag-service did not answer RestoreFlag within 30s.',
});
export const RolloutAborted = fact(
  'RolloutAborted',
  'aborted',
  { by: z.string(), reason: z.string() },
  { by: 'alex', reason: 'superseded' },
);
export const RolloutCompleted = fact('RolloutCompleted', 'completed', {}, {});
/** Sent once by the rollout that nobody may have noticed failing to move: an operator must act. */
export const DeadlineMissed = fact(
  'DeadlineMissed',
  'deadline-missed',
  { ...at, what: z.string(), deadlineMs: millis },
  { ...atExample, what: 'HoldFlag was not answered', deadlineMs: 30_000 },
);
export const RolloutCommandAnswered = defineMessage({
  type: 'RolloutCommandAnswered',
  wire: 'tidegate.rollout.command-answered.v1',
  kind: 'event',
  topic: 'rollout.events',
  schema: z.object({ ...answerFields, rollout: rolloutId }),
  key: (data) => data.rollout,
  example: {
    ...answerExample,
    rollout: 'r-42',
    command: { ...answerExample.command, type: 'RollBack' },
  },
});

export type RolloutCommand =
  | StartRollout
  | PauseRollout
  | ResumeRollout
  | PromoteRollout
  | ApproveRollout
  | RollBack
  | AbortRollout;
export type RolloutEvent =
  | DraftOf<typeof RolloutStarted>
  | DraftOf<typeof StepStarted>
  | DraftOf<typeof StepCompleted>
  | DraftOf<typeof ApprovalRequested>
  | DraftOf<typeof ApprovalGiven>
  | DraftOf<typeof RolloutHeld>
  | DraftOf<typeof RolloutPaused>
  | DraftOf<typeof RolloutResumed>
  | DraftOf<typeof RollbackStarted>
  | DraftOf<typeof RollbackActionDone>
  | DraftOf<typeof RolloutRolledBack>
  | DraftOf<typeof RolloutFailed>
  | DraftOf<typeof RolloutAborted>
  | DraftOf<typeof RolloutCompleted>
  | DraftOf<typeof DeadlineMissed>;
