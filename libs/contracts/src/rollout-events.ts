import { z } from 'zod';
import { answerExample, answerFields, millis, thousandths } from './fields.ts';
import { definitionExample } from './flag-message.ts';
import { flagDefinition } from './flag.ts';
import { defineMessage, type DraftOf } from './message.ts';
import type {
  GuardWouldBreach,
  RecoveryJudged,
  RiskLevelLeft,
  RiskLevelReached,
} from './judgement-events.ts';
import type { ReferenceHeld, ReferenceObserved, ReferenceRefused } from './reference-events.ts';
import { fact, rolloutId } from './rollout-fact.ts';
import { verdict, verdictExample } from './verdict.ts';

const at = { step: z.string(), index: z.int().min(0) };
const atExample = { step: 'canary', index: 1 };

/** The plan, α and the shares are pinned here: nothing later changes what a breach means. */
export const RolloutStarted = fact(
  'RolloutStarted',
  'started',
  {
    planHash: z.string(),
    /** The plan as it was read, with its defaults: durations in ms, percentages in thousandths. */
    definition: z.record(z.string(), z.json()).optional(),
    risk: z.number(),
    shares: z.record(z.string(), z.number()),
    steps: z.array(z.object({ name: z.string(), kind: z.string() })),
    startedBy: z.string(),
    /** What the plan can never see or prove with the traffic that there is, as sentences. */
    warnings: z.array(z.string()).optional(),
  },
  {
    planHash: 'sha256:9b1c',
    risk: 0.01,
    shares: { 'error-rate@canary': 1 },
    steps: [{ name: 'canary', kind: 'stage' }],
    startedBy: 'alex',
  },
);
/** The flag is held for the rollout; `definition` is what a rollback puts back. */
export const FlagClaimed = fact(
  'FlagClaimed',
  'flag-claimed',
  { definition: flagDefinition, disabled: z.boolean() },
  { definition: definitionExample, disabled: false },
);
/** Somebody else changed the rollout's flag: disabled, enabled, or took it from the rollout. */
export const FlagObserved = fact(
  'FlagObserved',
  'flag-observed',
  { change: z.enum(['disabled', 'enabled', 'released']), by: z.string(), reason: z.string() },
  { change: 'disabled', by: 'alex', reason: 'checkout is down' },
);
export const StepStarted = fact(
  'StepStarted',
  'step-started',
  { ...at, kind: z.string(), percentage: thousandths.optional() },
  { ...atExample, kind: 'stage', percentage: 10_000 },
);
/** The flag serves the exposure of the stage, or of the one before the bake: its clock runs from here. */
export const StageOpened = fact(
  'StageOpened',
  'stage-opened',
  { ...at, percentage: thousandths.optional() },
  { ...atExample, percentage: 10_000 },
);
/** A command of the step was refused: a person resumes (it is sent again), rolls back or aborts. */
export const StepRefused = fact(
  'StepRefused',
  'step-refused',
  { ...at, command: z.string(), code: z.string(), message: z.string() },
  {
    ...atExample,
    command: 'SetExposure',
    code: 'FLAG_DISABLED',
    message: 'checkout-v2 was disabled by alex: checkout is down',
  },
);
/** What the step's migration run does, as far as the rollout is concerned. */
export const MigrationObserved = fact(
  'MigrationObserved',
  'migration-observed',
  {
    ...at,
    run: z.string(),
    change: z.enum(['started', 'stopped', 'resumed', 'cancelled', 'completed']),
    reason: z.string().optional(),
    /** How many documents are no longer as they were, where the run has ended. */
    changed: z.int().min(0).optional(),
  },
  { step: 'order-totals/execute', index: 0, run: 'r-42.0.0', change: 'completed' },
);
/**
 * `coveredMs` by successful checks; the verdicts that let it pass. `atDeadline`: the plan goes on
 * there, though too little was seen.
 */
export const StepCompleted = fact(
  'StepCompleted',
  'step-completed',
  {
    ...at,
    kind: z.string(),
    coveredMs: millis.optional(),
    verdicts: z.array(verdict).default([]),
    promotedBy: z.string().optional(),
    atDeadline: z.boolean().optional(),
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
/**
 * Published when the reason changes, not at every check. `page`: a person must look now. Of a paused rollout only what
 * pages is told: it stays paused.
 */
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
/** `because`: the named reason of a service that paused it by itself; then a person must look now. */
export const RolloutPaused = fact(
  'RolloutPaused',
  'paused',
  { by: z.string(), reason: z.string(), because: z.string().optional() },
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
    /** The message that told of the breach; repeats have the same fingerprint and start. */
    breach: z
      .object({
        id: z.string(),
        source: z.string(),
        fingerprint: z.string().optional(),
        startsAt: millis.optional(),
      })
      .optional(),
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

export type RolloutEvent =
  | DraftOf<typeof RolloutStarted>
  | DraftOf<typeof FlagClaimed>
  | DraftOf<typeof FlagObserved>
  | DraftOf<typeof ReferenceHeld>
  | DraftOf<typeof ReferenceRefused>
  | DraftOf<typeof ReferenceObserved>
  | DraftOf<typeof StepStarted>
  | DraftOf<typeof StageOpened>
  | DraftOf<typeof StepRefused>
  | DraftOf<typeof MigrationObserved>
  | DraftOf<typeof StepCompleted>
  | DraftOf<typeof ApprovalRequested>
  | DraftOf<typeof ApprovalGiven>
  | DraftOf<typeof RolloutHeld>
  | DraftOf<typeof RolloutPaused>
  | DraftOf<typeof RolloutResumed>
  | DraftOf<typeof RollbackStarted>
  | DraftOf<typeof RollbackActionDone>
  | DraftOf<typeof RiskLevelReached>
  | DraftOf<typeof RiskLevelLeft>
  | DraftOf<typeof GuardWouldBreach>
  | DraftOf<typeof RecoveryJudged>
  | DraftOf<typeof RolloutRolledBack>
  | DraftOf<typeof RolloutFailed>
  | DraftOf<typeof RolloutAborted>
  | DraftOf<typeof RolloutCompleted>
  | DraftOf<typeof DeadlineMissed>;
