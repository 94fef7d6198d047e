import type {
  MigrationCommand,
  MigrationEvent,
  ResumeMigration,
  RunMigration,
} from '@tidegate/contracts';
import { type Decision, reject } from '@tidegate/kernel';
import { type Known, refusalToResume, refusalToStart } from '../migration/readiness.ts';
import { recordRun } from './record-run.ts';
import { type StoreRestored, whyRestored } from './restored.ts';
import { about, type Run, type Work } from './run.ts';
import type { RunnerCommand } from './runner-command.ts';

export type AnyRunCommand = MigrationCommand | RunnerCommand | StoreRestored;

const BATCH_SIZE = 500;
const SAMPLE_SIZE = 50;

export const decideRun =
  (known: Known, id: string) =>
  (command: AnyRunCommand, run: Run): Decision<MigrationEvent> => {
    switch (command.type) {
      case 'RunMigration':
        return start(known, id, command, run);
      case 'PauseMigration':
        return whileActive(run, (work) =>
          run.status === 'paused'
            ? []
            : [{ type: 'MigrationPaused', data: { ...about(id, work), ...byWhom(command) } }],
        );
      case 'ResumeMigration':
        return whileActive(run, (work) => resume(known, id, command, run, work));
      case 'CancelMigration':
        return whileActive(run, (work) => [
          {
            type: 'MigrationCancelled',
            data: { ...about(id, work), ...byWhom(command), total: work.total },
          },
        ]);
      case 'StoreRestored':
        return run.status === 'running'
          ? [{ type: 'MigrationPaused', data: { ...about(id, run.work), ...whyRestored(command) } }]
          : [];
      default:
        return recordRun(id, command, run);
    }
  };

const byWhom = ({ data, metadata }: Exclude<MigrationCommand, RunMigration>) => ({
  by: metadata.actor,
  reason: data.reason,
});

function start(
  known: Known,
  id: string,
  { data, metadata }: RunMigration,
  run: Run,
): Decision<MigrationEvent> {
  const { migration, action } = data;
  if (run.status !== 'absent')
    return run.work.migration === migration && run.work.action === action
      ? []
      : reject(
          'RUN_EXISTS',
          `${id} is already a run of ${run.work.migration} (${run.work.action}).`,
        );
  const refusal = refusalToStart(known, data);
  if (refusal) return refusal;
  const started = {
    ...data,
    run: id,
    definitionHash: known.migrations.get(migration)?.hash ?? '',
    batchSize: data.batchSize ?? BATCH_SIZE,
    sampleSize: data.sampleSize ?? SAMPLE_SIZE,
    by: metadata.actor,
  };
  return [{ type: 'MigrationStarted', data: started }];
}

function resume(
  known: Known,
  id: string,
  command: ResumeMigration,
  run: Run,
  work: Work,
): Decision<MigrationEvent> {
  if (run.status === 'running') return [];
  return (
    refusalToResume(known, id, work) ?? [
      { type: 'MigrationResumed', data: { ...about(id, work), ...byWhom(command) } },
    ]
  );
}

function whileActive(
  run: Run,
  decide: (work: Work) => Decision<MigrationEvent>,
): Decision<MigrationEvent> {
  if (run.status === 'absent') return reject('RUN_UNKNOWN', 'There is no such run.');
  if (run.status === 'running' || run.status === 'paused') return decide(run.work);
  return reject('RUN_ENDED', `The run is ${run.status}.`);
}
