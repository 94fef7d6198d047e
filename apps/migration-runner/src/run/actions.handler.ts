import type { MigrationAction } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import {
  type AnyMigration,
  type CutoverMigration,
  isDataMigration,
  type Migration,
  type SchemaMigration,
} from '@tidegate/migration';
import { backUp } from '../backup/back-up.handler.ts';
import type { MigrationErrorCode } from '../errors.ts';
import { cleanUp } from '../revert/cleanup.handler.ts';
import { revert } from '../revert/revert.handler.ts';
import { executeDocuments } from './execute.handler.ts';
import { cutOver, switchBack } from '../report/cut-over.handler.ts';
import { plan, verify } from '../report/inspect.handler.ts';
import type { Act, Job } from './job.ts';
import type { Work } from './run.ts';
import { build, lookForMissing, takeAway } from './schema.handler.ts';

type Acts<M extends AnyMigration> = Readonly<Partial<Record<MigrationAction, Act<M>>>>;

const documents: Required<Acts<Migration>> = {
  plan,
  backup: backUp,
  execute: executeDocuments,
  verify,
  revert,
  cutover: cutOver,
  cleanup: cleanUp,
};
const schema: Acts<SchemaMigration> = {
  plan: lookForMissing,
  execute: build,
  verify: lookForMissing,
  revert: takeAway,
};
const cutover: Acts<CutoverMigration> = {
  plan: cutOver,
  execute: cutOver,
  verify: cutOver,
  cutover: cutOver,
  revert: switchBack,
};

/** What is to be done now: a run that undoes what it did has another action than it was started with. */
const doing = ({ action, reverting }: Work): MigrationAction => (reverting ? 'revert' : action);

/** Only what writes gets a connection that can. */
export const accessFor = (work: Work): 'read' | 'write' =>
  doing(work) === 'execute' || doing(work) === 'revert' ? 'write' : 'read';

export function act(job: Job<AnyMigration>): Promise<void> {
  const { migration } = job;
  const action = doing(job.work);
  if (isDataMigration(migration)) return documents[action]({ ...job, migration });
  const done =
    migration.phase === 'schema'
      ? schema[action]?.({ ...job, migration })
      : cutover[action]?.({ ...job, migration });
  if (done) return done;
  throw new AppError<MigrationErrorCode>(
    'MIGRATION_NOT_READY',
    `${migration.id} is a migration of the phase ${migration.phase}: there is no ${action} of it.`,
  );
}
