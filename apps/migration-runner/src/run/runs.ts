import type { Collection } from '@tidegate/store';
import type { Run } from './run.ts';

/** A running run is always due: whoever claims it works on it, also after a crash. */
export const runCollection: Collection<Run> = {
  name: 'migration-runs',
  schemaVersion: 1,
  index: (run) =>
    run.status === 'absent'
      ? { status: run.status }
      : {
          status: run.status,
          migration: run.work.migration,
          ...(run.status === 'running' ? { dueAt: run.work.startedAt } : {}),
        },
};
