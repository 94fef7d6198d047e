import { throughBatches } from '../run/batches.handler.ts';
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
      ended: async ({ total }) => {
        const documents = total.matched - (total.failed ?? 0);
        const bytes = await job.journal.bytes();
        return job.record('FinishRun', { report: { kept: documents, bytes } });
      },
    },
  );
