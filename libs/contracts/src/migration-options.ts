import { z } from 'zod';
import { reason } from './fields.ts';

/**
 * plan: a dry run · backup: before-images of all that is pending, or a managed snapshot · execute · verify · revert: back to
 * what was · cutover: proof that the new form alone may be read · cleanup: the way back is given up.
 */
export const migrationActions = [
  'plan',
  'backup',
  'execute',
  'verify',
  'revert',
  'cutover',
  'cleanup',
] as const;
export type MigrationAction = (typeof migrationActions)[number];

/** How a run paces itself. */
const flow = z.strictObject({
  /** The time that a batch should take; its size follows, within minBatchSize … batchSize. */
  targetBatchMs: z.int().min(10).max(10_000).optional(),
  /** Rest after each batch, as a share of its time: 1 = as long again. */
  niceRatio: z.number().min(0).max(100).optional(),
  /** Replication behind by more than this: wait. */
  maxLagMs: z.int().min(1).optional(),
  /** Active connections or queued operations, as the target counts them: above max wait, above critical fail. */
  maxLoad: z.number().min(0).optional(),
  criticalLoad: z.number().min(0).optional(),
  /** Asked before each batch (cached for a second): 2xx go on, 429 or 503 wait; anything else or no answer waits too. */
  probe: z.url({ protocol: /^https?$/, error: 'must be a URL with http or https' }).optional(),
  /** Only within these hours. */
  window: z
    .strictObject({
      from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day as 22:00'),
      to: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day as 06:00'),
      timeZone: z.string().min(1).default('UTC'),
      days: z
        .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
        .min(1)
        .optional(),
    })
    .optional(),
});
export type MigrationFlow = z.output<typeof flow>;
/** What whoever starts a run may choose; left out: what the migration says, else the runner's default. */
export const runOptions = {
  /** The most documents in a batch. */
  batchSize: z.int().min(1).max(100_000).optional(),
  minBatchSize: z.int().min(1).max(100_000).optional(),
  sampleSize: z.int().min(1).max(100_000).optional(),
  /** What a document does that `up` fails on: stop the run; skip it and list it; or also keep a copy of it. */
  onError: z.enum(['stop', 'skip', 'quarantine']).optional(),
  /** More than this are too many to be skipped or quarantined: the run fails. */
  maxErrors: z.int().min(1).max(1_000).optional(),
  /** `before-images`: each document as it was is kept until cleanup; without, only `down` undoes. */
  backup: z.enum(['none', 'before-images']).optional(),
  /**
   * A run that fails undoes, and is failed then: an execute what it has changed itself, a verify all of the migration. In
   * a plan also what a rollback reverts: an execute, or a cutover.
   */
  onFailure: z.enum(['stop', 'revert']).optional(),
  flow: flow.optional(),
  /** The migration's text is not what was executed before: why that is right. */
  acceptChange: reason.optional(),
};
