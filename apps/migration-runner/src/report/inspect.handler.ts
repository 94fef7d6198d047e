import type { AnyMigration, Migration } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Act, Job } from '../run/job.ts';
import type { Report } from '../run/run.ts';
import { journalledIn } from './journalled.handler.ts';
import { keptAlive } from './kept-alive.handler.ts';
import { leftBehindBy } from './left-behind.ts';
import { planReport } from './plan.handler.ts';
import { verifyReport } from './verify.handler.ts';

/** A dry run: completed also where it finds that the run would fail. */
export const plan: Act<Migration> = async (job) => ended(job, await planReport(inspectionOf(job)));

export const verify: Act<Migration> = async (job) => {
  const leftBehind = leftBehindBy(await job.runsOf(job.migration.id));
  const journal =
    (await job.journal.top()) > 0 ? { journal: journalledIn(job.journal, job.migration) } : {};
  await ended(job, await verifyReport({ ...inspectionOf(job), ...journal, leftBehind }));
};

const inspectionOf = ({ migration, target, shift, clock, work }: Job) => ({
  migration,
  target: keptAlive(target, shift),
  shift,
  clock,
  choices: work,
});

interface Found {
  readonly report: Report;
  /** What is wrong. */
  readonly failure?: string;
}

/** Ends the run with what was found. Undefined: the shift ended before everything was looked at. */
export async function ended(
  { record }: Pick<Job<AnyMigration>, 'record'>,
  found: Found | undefined,
  code: MigrationErrorCode = 'MIGRATION_NOT_VERIFIED',
): Promise<void> {
  if (!found) return;
  const { report, failure: message } = found;
  if (message === undefined) await record('FinishRun', { report });
  else await record('FailRun', { code, message, report });
}
