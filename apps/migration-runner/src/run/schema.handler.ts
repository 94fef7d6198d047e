import type { SchemaMigration } from '@tidegate/migration';
import { ended } from '../report/inspect.handler.ts';
import { schemaReport } from '../report/schema.handler.ts';
import type { Job } from './job.ts';

/** What of it is not there; a verify fails with that. */
export async function lookForMissing(job: Job<SchemaMigration>): Promise<void> {
  const { migration, target, shift, work } = job;
  const action = work.action === 'verify' ? 'verify' : 'plan';
  await ended(job, await shift.during(schemaReport(migration, action, target)));
}

/** In the background of the database; safe to repeat, as it must be after a crash. */
export async function build(job: Job<SchemaMigration>): Promise<void> {
  const { migration, target, shift } = job;
  if (!(await shift.goOnToBatch())) return;
  await shift.during(target.schema.ensure(migration));
  await ended(job, await shift.during(schemaReport(migration, 'execute', target)));
}

export async function takeAway(job: Job<SchemaMigration>): Promise<void> {
  const { migration, target, shift } = job;
  if (!(await shift.goOnToBatch())) return;
  await shift.during(target.schema.drop(migration));
  await ended(job, await shift.during(schemaReport(migration, 'revert', target)));
}
