import { z } from 'zod';
import { flagKey, name, variantName } from './fields.ts';
import { migrationActions, runOptions } from './migration-options.ts';
import { atLeast, duration, percentage, share } from './plan-fields.ts';
import { guard } from './plan-guard.ts';
import { metric } from './plan-metric.ts';
import { contradictions } from './plan-rules.ts';

/** A step that takes longer pages once. */
const deadline = atLeast(1).optional();
/** Of a step that is left by its gates. */
const gated = {
  /** Time covered by successful checks, at least. */
  hold: duration,
  deadline,
  /** When the deadline comes and too little has been seen: a person is asked, or it goes on, if nothing is proven bad and no data are missing. */
  atDeadline: z.enum(['ask', 'advance']).default('ask'),
};
/** That a changed text is right is said by a person, each time. */
const { acceptChange: _byPerson, ...planRunOptions } = runOptions;
const step = z.union([
  z.strictObject({
    stage: name,
    percentage: percentage.optional(),
    variant: variantName.optional(),
    users: z.array(z.string().min(1)).optional(),
    ...gated,
    /**
     * Not checked for so long, it closes itself. The shortest lets a check be lost with its process and be done by
     * another one (a claim of 7 s, 5 s for the slowest target), and be heard of (two heartbeats).
     */
    closeIfSilentFor: atLeast(30_000).optional(),
  }),
  /** Watches on, and changes nothing: what was opened stays open. */
  z.strictObject({ bake: name, ...gated }),
  z.strictObject({
    migrate: name,
    action: z.enum(migrationActions),
    ...planRunOptions,
    deadline,
  }),
  z.strictObject({
    approve: name,
    role: z.enum(['operator', 'approver', 'admin']).default('approver'),
    deadline,
  }),
]);
export type PlanStep = z.output<typeof step>;

/** An event has the verdicts of all of them, with what they were judged on. */
const MOST_GUARDS = 30;

export const plan = z
  .strictObject({
    plan: name,
    description: z.string().max(2_000).optional(),
    flag: flagKey,
    /** Of the whole rollout: the probability that a healthy one is rolled back. */
    risk: share.default(0.01),
    checkEvery: atLeast(200).default(5_000),
    /** An unanswered command or missing data pages after this. */
    pageAfter: atLeast(1).default(120_000),
    /** Scores of risk below 1/risk that are acted on; without them a tenth and a fifth of it. */
    levels: z
      .strictObject({ notify: z.number().gt(1).optional(), hold: z.number().gt(1).optional() })
      .default({}),
    /** A canary that vanishes while others are scraped, or restarts again and again, is a breach. */
    liveness: z
      .union([
        z.literal('off'),
        z.strictObject({
          /** Checks in a row without it, over as many intervals of checkEvery, or of its Prometheus' scrapes. */
          vanishedFor: z.int().min(2).default(3),
          restarts: z.int().min(1).default(3),
          within: atLeast(1_000).default(600_000),
        }),
      ])
      .prefault({}),
    /** After a rollback the metrics must be good again within this time, else it pages. */
    recovery: z.strictObject({ within: atLeast(1_000).default(120_000) }).prefault({}),
    metrics: z.record(name, metric).default({}),
    guards: z
      .array(guard)
      .max(MOST_GUARDS, {
        error: `more guards than one message has room for; expected at most ${MOST_GUARDS}`,
      })
      .default([]),
    steps: z.array(step).min(1),
  })
  .superRefine((value, context) => {
    for (const { path, message } of contradictions(value))
      context.addIssue({ code: 'custom', path: [...path], message });
  });
export type Plan = z.output<typeof plan>;

export type StageStep = Extract<PlanStep, { stage: string }>;
export type BakeStep = Extract<PlanStep, { bake: string }>;
/** A step during which guards are judged on evidence of their own. */
export type WatchedStep = StageStep | BakeStep;

export const isWatchedStep = (step: PlanStep): step is WatchedStep =>
  'stage' in step || 'bake' in step;
export const watchedName = (step: WatchedStep): string =>
  'stage' in step ? step.stage : step.bake;

export const stepName = (step: PlanStep): string => {
  if (isWatchedStep(step)) return watchedName(step);
  return 'migrate' in step ? `${step.migrate}/${step.action}` : step.approve;
};
export const stepKind = (step: PlanStep): 'stage' | 'bake' | 'migrate' | 'approve' => {
  if ('stage' in step) return 'stage';
  if ('bake' in step) return 'bake';
  return 'migrate' in step ? 'migrate' : 'approve';
};
