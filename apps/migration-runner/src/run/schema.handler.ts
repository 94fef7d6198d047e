import type { SchemaMigration } from '@tidegate/migration';
import { ended } from '../report/inspect.handler.ts';
import { othersThan, standingOf } from '../migration/standing.ts';
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

/** Of a rollout it takes away what nobody else has executed as well: else it may have been there before. */
export async function takeAway(job: Job<SchemaMigration>): Promise<void> {
  const { migration, target, shift } = job;
  if (!(await shift.goOnToBatch())) return;
  const isLeft = await isOthersToo(job);
  if (!isLeft) await shift.during(target.schema.drop(migration));
  await ended(job, await shift.during(schemaReport(migration, 'revert', target, { isLeft })));
}

async function isOthersToo({ run, work, runsOf }: Job<SchemaMigration>): Promise<boolean> {
  const { migration, rollout } = work;
  if (!rollout) return false;
  const before = (await runsOf(migration)).filter(({ id }) => id !== run);
  return othersThan(rollout.id, standingOf(before)).length > 0;
}
