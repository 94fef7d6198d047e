import { AppError, isAppError, isRetryable } from '@tidegate/kernel';
import type { AnyMigration } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import { createPacing } from '../flow/pacing.handler.ts';
import { accessFor, act } from './actions.handler.ts';
import { failureOf } from './failures.ts';
import type { AdvanceDeps, Job } from './job.ts';
import type { Work } from './run.ts';
import { type Shift, underLease } from './shift.handler.ts';

/** Why nobody works on a run that is running. */
export interface Wait {
  readonly reason: string;
  readonly message: string;
}

type Waits = (wait: Wait | undefined) => void;

/**
 * Works on a run until it is done, paused, ended, another runner has it or the process stops. Safe to repeat and to
 * kill anywhere: what a batch wrote is no longer pending, and the checkpoint follows the writes.
 * @param waits told what the run waits for while it cannot be worked on, and then stays as it is; undefined: no longer
 */
export async function advance(
  deps: AdvanceDeps,
  id: string,
  waits: Waits = () => {},
): Promise<void> {
  const run = await deps.load(id);
  if (run?.status !== 'running') return;
  const { migration } = run.work;
  const lease = {
    name: `migration/${migration}`,
    holder: `${deps.holder}/${id}`, // two runs in one process exclude each other, too
    isWanted: async () => (await deps.load(id))?.status === 'running',
  };
  try {
    const wasFree = await underLease(deps, lease, (shift) => workOrFail(deps, id, shift, waits));
    if (!wasFree) waits(leaseHeld(migration));
  } catch (error) {
    if (!isAppError(error) || !error.retryable) throw error;
    waits({ reason: error.code, message: error.message });
  }
}

const leaseHeld = (migration: string): Wait => ({
  reason: 'lease-held',
  message: `Another run of ${migration} is under way, or a runner was killed in one: its lease ends within a minute.`,
});

async function workOrFail(
  deps: AdvanceDeps,
  id: string,
  shift: Shift,
  waits: Waits,
): Promise<void> {
  // Read again: until the lease was ours another runner may have got on.
  const run = await deps.load(id);
  if (run?.status !== 'running') return;
  try {
    await workOn(deps, id, run.work, shift, waits);
  } catch (error) {
    if (isRetryable(error)) throw error;
    const { fence } = shift;
    await deps.record(id, { type: 'FailRun', data: { fence, ...failureOf(error) } });
  }
}

async function workOn(
  deps: AdvanceDeps,
  id: string,
  work: Work,
  shift: Shift,
  waits: Waits,
): Promise<void> {
  const migration = await migrationFor(deps, id, work);
  const pacing = createPacing({ ...deps.pacing, record: deps.record }, id, work);
  // A run that waits for the night holds no connection.
  if ((await pacing.begin({ work }, shift)) === undefined) return;
  const target = await deps.targets.open(migration.target, accessFor(work));
  waits(undefined);
  try {
    const { clock, sleep, faults, migrations, targets, quarantine, snapshots } = deps;
    const { runsOf, settleMs } = deps;
    const journal = deps.journals.open(migration.id, target);
    const record = recorder(deps, id, shift);
    const parts = {
      clock,
      sleep,
      faults,
      migrations,
      targets,
      journal,
      quarantine,
      snapshots,
      record,
    };
    await act({ run: id, work, migration, target, pacing, shift, runsOf, settleMs, ...parts });
  } finally {
    await target.close();
  }
}

async function migrationFor(deps: AdvanceDeps, id: string, work: Work): Promise<AnyMigration> {
  const loaded = deps.migrations.get(work.migration);
  if (loaded?.hash !== work.definitionHash)
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_CHANGED',
      `The text of ${work.migration} is not what the run began with.`,
    );
  const refusal = await deps.refusal(id, work);
  if (refusal) throw new AppError(refusal.code, refusal.message);
  return loaded.migration;
}

const recorder =
  (deps: AdvanceDeps, id: string, { fence }: Shift): Job['record'] =>
  async (type, data) => {
    const command: unknown = { type, data: { ...data, fence } };
    return (await deps.record(id, command as Parameters<AdvanceDeps['record']>[1])).state;
  };
