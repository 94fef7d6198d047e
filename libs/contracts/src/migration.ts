import { z } from 'zod';
import { answerExample, answerFields, name, reason, rolloutRef } from './fields.ts';
import { family } from './family.ts';
import { defineMessage, type DraftOf, type MessageOf } from './message.ts';
import { migrationActions, runOptions } from './migration-options.ts';

const run = { run: z.string().min(1) };
const runKey = (data: { run: string }) => data.run;

const counts = z.object({
  matched: z.int().min(0),
  changed: z.int().min(0),
  skipped: z.int().min(0),
  mismatched: z.int().min(0),
  /** Left as they were and listed, as `onError` says. */
  failed: z.int().min(0).optional(),
});
/** A document that was left as it was, and why. */
const failedDocument = z.object({
  key: z.union([z.string(), z.number()]),
  code: z.string(),
  message: z.string(),
});
export type FailedDocument = z.output<typeof failedDocument>;

export type MigrationCounts = z.output<typeof counts>;
const countsExample = { matched: 1_000, changed: 400, skipped: 0, mismatched: 0 };

const command = <const T extends string, S extends z.ZodType<{ run: string }>>(
  type: T,
  wire: string,
  schema: S,
  example: z.input<S>,
  kill = false,
) =>
  defineMessage<T, S>({
    type,
    wire: `tidegate.migration.${wire}.v1`,
    kind: 'command',
    topic: kill ? 'kills' : 'migration.commands',
    schema,
    key: runKey,
    example,
    ...(kill ? {} : { maxAgeMs: 600_000 }),
  });
const byPerson = z.object({ ...run, reason, rollout: rolloutRef.optional() });
const byPersonExample = { run: 'm-7', reason: 'rollback of r-42' };

/** The run's id is made by whoever asks, so that a repeated request starts one run. */
export const RunMigration = command(
  'RunMigration',
  'run',
  z.object({
    ...run,
    migration: name,
    action: z.enum(migrationActions),
    ...runOptions,
    rollout: rolloutRef.optional(),
    /** Why a person asks for it. */
    reason: reason.optional(),
  }),
  { run: 'm-7', migration: 'order-totals', action: 'execute', batchSize: 200 },
);
export type RunMigration = MessageOf<typeof RunMigration>;
export const ResumeMigration = command('ResumeMigration', 'resume', byPerson, byPersonExample);
export type ResumeMigration = MessageOf<typeof ResumeMigration>;
export const CancelMigration = command('CancelMigration', 'cancel', byPerson, byPersonExample);
export type CancelMigration = MessageOf<typeof CancelMigration>;
export const PauseMigration = command('PauseMigration', 'pause', byPerson, byPersonExample, true);
export type PauseMigration = MessageOf<typeof PauseMigration>;

const of = {
  ...run,
  migration: name,
  action: z.enum(migrationActions),
  rollout: rolloutRef.optional(),
};
const ofExample = { run: 'm-7', migration: 'order-totals', action: 'execute' as const };
const event = family({
  noun: 'migration',
  kind: 'event',
  topic: 'migration.events',
  fields: of,
  example: ofExample,
  key: 'run',
});

export const MigrationStarted = event(
  'MigrationStarted',
  'started',
  {
    definitionHash: z.string(),
    ...runOptions,
    batchSize: z.int().min(1),
    sampleSize: z.int().min(1),
    /** Who asked for it. */
    by: z.string().optional(),
    reason: z.string().optional(),
  },
  { definitionHash: 'sha256:77aa', batchSize: 200, sampleSize: 50 },
);
/** `first` and `last`: keys of the batch's range; `last` is the checkpoint. */
export const MigrationBatchApplied = event(
  'MigrationBatchApplied',
  'batch-applied',
  {
    batch: z.int().min(1),
    /** Of the lease under which the batch was written. */
    fence: z.int().min(1),
    first: z.union([z.string(), z.number()]),
    last: z.union([z.string(), z.number()]),
    batchCounts: counts,
    total: counts,
    tookMs: z.number().min(0),
    /** Of this batch. */
    failures: z.array(failedDocument).optional(),
    /** How large the next batch is to be. */
    nextSize: z.int().min(1).optional(),
    /**
     * The place in the migration's journal that was dealt with: of a revert counted down; of an execute, all that it kept
     * up to there.
     */
    journalAt: z.int().min(0).optional(),
  },
  {
    batch: 1,
    fence: 3,
    first: 1,
    last: 200,
    batchCounts: { ...countsExample, matched: 200, changed: 200 },
    total: countsExample,
    tookMs: 12,
  },
);
/** The end of the keys was reached; another sweep begins while documents are still pending. */
export const MigrationSweepEnded = event(
  'MigrationSweepEnded',
  'sweep-ended',
  { sweep: z.int().min(1), left: z.int().min(0) },
  { sweep: 1, left: 0 },
);
/** `because`: the named reason of a runner that paused it by itself; then a person must look now. */
export const MigrationPaused = event(
  'MigrationPaused',
  'paused',
  { by: z.string(), reason: z.string(), because: z.string().optional() },
  { by: 'rollout:r-42', reason: 'rollback of r-42' },
);
export const MigrationResumed = event(
  'MigrationResumed',
  'resumed',
  { by: z.string(), reason: z.string() },
  { by: 'alex', reason: 'disk grown' },
);
/** How much there was to do when the work began. */
export const MigrationMeasured = event(
  'MigrationMeasured',
  'measured',
  {
    expected: z.int().min(0),
    /** Of the lease under which it was counted. */
    fence: z.int().min(1).optional(),
    /** Of an execute: the place in the migration's journal above which it keeps what it changes. */
    journalFrom: z.int().min(0).optional(),
  },
  { expected: 1_000 },
);
/** No batch is begun for now; once per reason. */
export const MigrationThrottled = event(
  'MigrationThrottled',
  'throttled',
  {
    because: z.enum([
      'replication-lag',
      'server-load',
      'own-latency',
      'guard',
      'probe',
      'window',
      'backup-full',
    ]),
    message: z.string(),
  },
  { because: 'replication-lag', message: 'A replica is 12 s behind; at most 5 s are allowed.' },
);
export const MigrationUnthrottled = event('MigrationUnthrottled', 'unthrottled', {}, {});
/**
 * A run that failed undoes, as it was asked to: an execute what it has changed itself, a verify all that the migration has
 * changed. MigrationFailed follows.
 */
export const MigrationRevertStarted = event(
  'MigrationRevertStarted',
  'revert-started',
  {
    code: z.string(),
    message: z.string(),
    /** What was found. */
    report: z.record(z.string(), z.json()).optional(),
  },
  { code: 'MIGRATION_NOT_VERIFIED', message: '2 of 50 samples break total-is-sum.' },
);
export const MigrationCompleted = event(
  'MigrationCompleted',
  'completed',
  { total: counts, report: z.record(z.string(), z.json()) },
  { total: countsExample, report: { invariants: 'held' } },
);
export const MigrationFailed = event(
  'MigrationFailed',
  'failed',
  {
    code: z.string(),
    message: z.string(),
    total: counts,
    report: z.record(z.string(), z.json()).optional(),
    /** What was undone, where `onFailure` is revert. */
    reverted: counts.optional(),
  },
  { code: 'MIGRATION_INVARIANT_BROKEN', message: '3 orders have no total.', total: countsExample },
);
export const MigrationCancelled = event(
  'MigrationCancelled',
  'cancelled',
  { by: z.string(), reason: z.string(), total: counts },
  { by: 'alex', reason: 'wrong batch size', total: countsExample },
);
export const MigrationCommandAnswered = defineMessage({
  type: 'MigrationCommandAnswered',
  wire: 'tidegate.migration.command-answered.v1',
  kind: 'event',
  topic: 'migration.events',
  schema: z.object({ ...run, ...answerFields }),
  key: runKey,
  example: {
    run: 'm-7',
    ...answerExample,
    command: { ...answerExample.command, type: 'RunMigration' },
  },
});

export type MigrationCommand = RunMigration | ResumeMigration | CancelMigration | PauseMigration;
export type MigrationEvent =
  | DraftOf<typeof MigrationStarted>
  | DraftOf<typeof MigrationBatchApplied>
  | DraftOf<typeof MigrationSweepEnded>
  | DraftOf<typeof MigrationMeasured>
  | DraftOf<typeof MigrationThrottled>
  | DraftOf<typeof MigrationUnthrottled>
  | DraftOf<typeof MigrationRevertStarted>
  | DraftOf<typeof MigrationPaused>
  | DraftOf<typeof MigrationResumed>
  | DraftOf<typeof MigrationCompleted>
  | DraftOf<typeof MigrationFailed>
  | DraftOf<typeof MigrationCancelled>;
