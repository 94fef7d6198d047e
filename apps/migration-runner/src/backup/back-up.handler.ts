import { AppError } from '@tidegate/kernel';
import type { MigrationErrorCode } from '../errors.ts';
import { backupReport } from '../report/ended.ts';
import type { Job } from '../run/job.ts';
import { keepPending } from './backup.handler.ts';
import type { AskSnapshot } from './snapshot.port.ts';

/** A managed snapshot where the operator has named who makes it; else before-images. */
export function backUp(job: Job): Promise<void> {
  const ask = job.snapshots.get(job.migration.target);
  return ask ? snapshot(job, ask) : keepPending(job);
}

/** Asked again until it is there: what it waits for is shown with the run. */
async function snapshot({ run, work, migration, clock, record }: Job, ask: AskSnapshot) {
  const { target } = migration;
  const { status, snapshot: name, message } = await ask({ run, migration: migration.id, target });
  const what = `The snapshot ${name === undefined ? '' : `${name} `}of ${target}`;
  const why = message === undefined ? '' : ` ${message}`;
  if (status === 'running')
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_BACKUP_PENDING',
      `${what} is being made.${why}`,
      { retryable: true },
    );
  if (status === 'failed')
    throw new AppError<MigrationErrorCode>('MIGRATION_BACKUP_FAILED', `${what} failed.${why}`);
  const tookMs = Math.max(0, clock.now() - work.startedAt);
  const named = name === undefined ? {} : { snapshot: name };
  await record('FinishRun', { report: backupReport({ kind: 'snapshot', ...named, tookMs }) });
}
