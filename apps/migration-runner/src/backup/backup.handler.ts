import { throughBatches } from '../run/batches.handler.ts';
import { backupReport } from '../report/ended.ts';
import type { Job } from '../run/job.ts';

/** Keeps before-images of all that is pending, and changes nothing. */
export const keepPending = (job: Job): Promise<void> =>
  throughBatches(
    job,
    { status: 'running', work: job.work },
    {
      kind: 'backup',
      apply: async (_order, { rows, failures, failed }) => ({
        changed: 0,
        skipped: rows - failures.length,
        failures,
        failed,
      }),
      ended: async ({ total, startedAt }) => {
        const documents = total.matched - (total.failed ?? 0);
        const bytes = await job.journal.bytes();
        const tookMs = Math.max(0, job.clock.now() - startedAt);
        const report = backupReport({ kind: 'before-images', documents, bytes, tookMs });
        return job.record('FinishRun', { report });
      },
    },
  );
