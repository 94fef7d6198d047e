import type { SchemaMigration } from '@tidegate/migration';
import type { Job } from './job.ts';

/** What of it is not there; a verify fails with that. */
export async function lookForMissing(job: Job<SchemaMigration>): Promise<void> {
  const { migration, target, shift, work } = job;
  const missing = [...(await shift.during(target.schema.missing(migration)))];
  const report = { missing };
  if (work.action === 'verify' && missing.length > 0) {
    const message = `Not there: ${missing.join('; ')}`;
    await job.record('FailRun', { code: 'MIGRATION_NOT_VERIFIED', message, report });
  } else await job.record('FinishRun', { report });
}

/** In the background of the database; safe to repeat, as it must be after a crash. */
export async function build(job: Job<SchemaMigration>): Promise<void> {
  const { migration, target, shift } = job;
  if (!(await shift.goOnToBatch())) return;
  const before = await shift.during(target.schema.missing(migration));
  await shift.during(target.schema.ensure(migration));
  await finishBuilding(job, { built: [...before] });
}

export async function takeAway(job: Job<SchemaMigration>): Promise<void> {
  const { migration, target, shift } = job;
  if (!(await shift.goOnToBatch())) return;
  await shift.during(target.schema.drop(migration));
  await finishBuilding(job, {});
}

async function finishBuilding(
  { migration, target, shift, record }: Job<SchemaMigration>,
  more: { readonly built?: string[] },
): Promise<void> {
  const missing = [...(await shift.during(target.schema.missing(migration)))];
  await record('FinishRun', { report: { ...more, missing } });
}
