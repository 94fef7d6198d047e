import { AppError, isRetryable, messageOf } from '@tidegate/kernel';
import type { MigrationErrorCode } from '../errors.ts';
import { floorOf } from '../journal/journal.handler.ts';
import { executeReport } from '../report/ended.ts';
import { throughBatches } from './batches.handler.ts';
import { matched, pending } from './batch.ts';
import { failureOf } from './failures.ts';
import type { Job } from './job.ts';
import { isIdle, notFinished } from './record-run.ts';
import { reconcile } from './reconcile.handler.ts';
import type { Report, Run, Work } from './run.ts';
import { standstills } from './standstill.handler.ts';
import { writeBatch } from './write.handler.ts';

/** Rounds over all keys that change nothing although something is pending: programs write the old form, or it cannot be done. */
const IDLE_ROUNDS = 3;

/** Sweeps over what is pending until nothing is left but what is listed. A run that fails on the way ends with its report, too. */
export async function executeDocuments(job: Job): Promise<void> {
  try {
    await sweep(job);
  } catch (error) {
    if (isRetryable(error)) throw error;
    const work = await begun(job);
    if (!work) throw error;
    const failure = failureOf(error);
    const report = await reportOf(job, work, failure.message);
    await job.record('FailRun', { ...failure, report });
  }
}

/** How far the run has come; undefined where nothing was begun. */
async function begun({ run, work: { migration }, runsOf }: Job): Promise<Work | undefined> {
  const work = (await runsOf(migration)).find(({ id }) => id === run)?.run.work;
  return work?.expected === undefined ? undefined : work;
}

async function sweep(job: Job): Promise<void> {
  const measured = await measure(job);
  if (measured.status !== 'running') return;
  await forgetUndone(job);
  let idle = 0;
  const swept = standstills(job);
  await throughBatches(job, await reconcile(job, measured.work), {
    kind: 'execute',
    apply: (order, batch) => writeBatch(job, order, batch),
    ended: async (work) => {
      const left = await leftIn(job, work);
      idle = work.changedInSweep > 0 ? 0 : idle + 1;
      // New since they were read: another round within the sweep, as a sweep that changed nothing ends the run.
      if (left > 0 && idle > 0 && idle < IDLE_ROUNDS)
        return { status: 'running', work: { ...work, checkpoint: undefined } };
      if (isIdle(work, left)) throw new AppError(notFinished(left).code, notFinished(left).message);
      if (left > 0) await swept(work, left);
      const run = await job.record('EndSweep', { left });
      if (left > 0 || run.status !== 'running') return run;
      return job.record('FinishRun', { report: await reportOf(job, run.work) });
    },
  });
}

/** What was undone before is of no use any more, and must not use up the room. */
async function forgetUndone({ journal, shift }: Job): Promise<void> {
  const floor = floorOf(await journal.marks());
  if (floor > 0) await shift.during(journal.forget(floor));
}

/** Counted once, before anything is written. */
async function measure(job: Job): Promise<Run> {
  const { work, migration, target, shift, journal } = job;
  if (work.expected !== undefined) return { status: 'running', work };
  const expected = await shift.during(target.count(pending(migration)));
  if (expected === 0 && (await shift.during(target.count(matched(migration)))) === 0)
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_NOTHING_MATCHED',
      `The filter of ${migration.id} takes no document of ${migration.collection}: there is nothing to do, or it is wrong.`,
    );
  return job.record('MeasureRun', { expected, journalFrom: await journal.top() });
}

/** Pending, but not listed by this run. */
async function leftIn({ target, migration, shift }: Job, { failures }: Work): Promise<number> {
  const left = await shift.during(target.count(pending(migration)));
  if (left === 0 || failures.length === 0) return left;
  const keys = failures.map(({ key }) => key);
  return Math.max(0, left - (await target.find(pending(migration), keys)).length);
}

async function reportOf(job: Job, work: Work, stopped?: string): Promise<Report> {
  const { migration, clock } = job;
  return executeReport(migration, work, {
    ...work,
    lines: work.lines ?? [],
    sweeps: stopped === undefined ? work.sweep - 1 : work.sweep,
    endedAt: clock.now(),
    left: await leftNow(job, stopped !== undefined),
    ...(stopped === undefined ? {} : { stopped }),
  });
}

/** @param isBroken what the run fails with may be that the database does not answer */
async function leftNow({ target, migration, shift }: Job, isBroken: boolean) {
  try {
    return {
      matched: await shift.during(target.count(matched(migration))),
      pending: await shift.during(target.count(pending(migration))),
    };
  } catch (error) {
    if (!isBroken) throw error;
    return { why: messageOf(error) };
  }
}
