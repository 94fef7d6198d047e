import { z } from 'zod';
import { answerExample, answerFields, name, reason, rolloutRef } from './fields.ts';
import { family } from './family.ts';
import { defineMessage, type DraftOf, type MessageOf } from './message.ts';

export const migrationActions = ['plan', 'execute', 'verify'] as const;
const run = { run: z.string().min(1) };
const runKey = (data: { run: string }) => data.run;

const counts = z.object({
  matched: z.int().min(0),
  changed: z.int().min(0),
  skipped: z.int().min(0),
  mismatched: z.int().min(0),
});
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
    batchSize: z.int().min(1).max(100_000).optional(),
    sampleSize: z.int().min(1).optional(),
    rollout: rolloutRef.optional(),
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
  { definitionHash: z.string(), batchSize: z.int().min(1), sampleSize: z.int().min(1) },
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
export const MigrationCompleted = event(
  'MigrationCompleted',
  'completed',
  { total: counts, report: z.record(z.string(), z.json()) },
  { total: countsExample, report: { invariants: 'held' } },
);
export const MigrationFailed = event(
  'MigrationFailed',
  'failed',
  { code: z.string(), message: z.string(), total: counts },
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
  | DraftOf<typeof MigrationPaused>
  | DraftOf<typeof MigrationResumed>
  | DraftOf<typeof MigrationCompleted>
  | DraftOf<typeof MigrationFailed>
  | DraftOf<typeof MigrationCancelled>;
