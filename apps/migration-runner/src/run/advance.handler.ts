import { AppError, isAppError, messageOf } from '@tidegate/kernel';
import { isDataMigration, type Migration } from '@tidegate/migration';
import type { Faults, Outcome } from '@tidegate/store';
import type { MigrationErrorCode } from '../errors.ts';
import type { Migrations } from '@tidegate/migration/files';
import type { Target, Targets } from '../target/target.port.ts';
import { applyBatch } from './apply-batch.handler.ts';
import { matched, pending } from './batch.ts';
import { planReport, verifyReport } from './inspect.handler.ts';
import type { Report, Run, Work } from './run.ts';
import type { RunnerCommand } from './runner-command.ts';
import { type Shift, type ShiftDeps, underLease } from './shift.handler.ts';

export interface AdvanceDeps extends ShiftDeps {
  /** Unique to this process. */
  readonly holder: string;
  readonly load: (run: string) => Promise<Run | undefined>;
  /** Runs one of the runner's own commands through `execute`. */
  readonly record: (
    run: string,
    command: Pick<RunnerCommand, 'type' | 'data'>,
  ) => Promise<Outcome<Run>>;
  readonly migrations: Migrations;
  readonly targets: Targets;
  readonly faults: Faults;
}

/** Why nobody works on a run that is running. */
export interface Wait {
  readonly reason: string;
  readonly message: string;
}

/**
 * Works on a run until it is done, paused, ended, another runner has it or the process stops. Safe to repeat and to
 * kill anywhere: what a batch wrote is no longer pending, and the checkpoint follows the writes.
 * @param waits told what the run waits for while it cannot be worked on, and then stays as it is; undefined: no longer
 */
export async function advance(
  deps: AdvanceDeps,
  id: string,
  waits: (wait: Wait | undefined) => void = () => {},
): Promise<void> {
  const run = await deps.load(id);
  if (run?.status !== 'running') return;
  const { work } = run;
  const lease = {
    name: `migration/${work.migration}`,
    holder: `${deps.holder}/${id}`, // two runs in one process exclude each other, too
    isWanted: async () => (await deps.load(id))?.status === 'running',
  };
  try {
    const wasFree = await underLease(deps, lease, (shift) =>
      workOrFail(deps, id, work, shift, waits),
    );
    if (!wasFree) waits(leaseHeld(work.migration));
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
  work: Work,
  shift: Shift,
  waits: (wait: undefined) => void,
): Promise<void> {
  try {
    await workOn(deps, id, work, shift, waits);
  } catch (error) {
    if (isAppError(error) && error.retryable) throw error;
    const code = isAppError(error) ? error.code : ('MIGRATION_FAILED' satisfies MigrationErrorCode);
    const { fence } = shift;
    await deps.record(id, { type: 'FailRun', data: { fence, code, message: messageOf(error) } });
  }
}

async function workOn(
  deps: AdvanceDeps,
  id: string,
  work: Work,
  shift: Shift,
  waits: (wait: undefined) => void,
): Promise<void> {
  const loaded = deps.migrations.get(work.migration);
  if (loaded?.hash !== work.definitionHash)
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_CHANGED',
      `The text of ${work.migration} is not what the run began with.`,
    );
  const { migration } = loaded;
  if (!isDataMigration(migration))
    throw new AppError<MigrationErrorCode>('MIGRATION_FAILED', `${migration.id}: not yet.`);
  const access = work.action === 'execute' ? 'write' : 'read';
  const target = await deps.targets.open(migration.target, access);
  waits(undefined);
  try {
    if (work.action === 'execute') await sweep(deps, id, work, shift, migration, target);
    else await inspect(deps, id, work, shift, migration, target);
  } finally {
    await target.close();
  }
}

async function inspect(
  { record }: AdvanceDeps,
  id: string,
  { action, sampleSize }: Work,
  shift: Shift,
  migration: Migration,
  target: Target,
): Promise<void> {
  const found: { report: Report; failure?: string } | undefined =
    action === 'plan'
      ? await planReport(migration, target, shift)
      : await verifyReport(migration, target, sampleSize, shift);
  if (!found) return;
  const { report, failure } = found;
  if (failure !== undefined)
    throw new AppError<MigrationErrorCode>('MIGRATION_NOT_VERIFIED', failure);
  await record(id, { type: 'FinishRun', data: { fence: shift.fence, report } });
}

async function sweep(
  deps: AdvanceDeps,
  id: string,
  begun: Work,
  shift: Shift,
  migration: Migration,
  target: Target,
): Promise<void> {
  let run: Run = { status: 'running', work: begun };
  while (run.status === 'running') {
    if (!(await shift.goOnToBatch())) return;
    const { checkpoint, batchSize } = run.work;
    const rows = await target.page(pending(migration), checkpoint, batchSize);
    if (rows.length === 0) {
      run = (await endOfKeys(deps, id, shift.fence, migration, target)).state;
      continue;
    }
    const startedAt = deps.clock.now();
    await deps.faults.at('batch.read', `migration-runs/${id}`);
    const applied = await applyBatch(migration, target, rows, shift);
    if (!applied) return;
    await deps.faults.at('batch.written', `migration-runs/${id}`);
    const data = { fence: shift.fence, ...applied, tookMs: deps.clock.now() - startedAt };
    run = (await deps.record(id, { type: 'RecordBatch', data })).state;
  }
}

async function endOfKeys(
  { record }: AdvanceDeps,
  id: string,
  fence: number,
  migration: Migration,
  target: Target,
): Promise<Outcome<Run>> {
  const left = await target.count(pending(migration));
  const outcome = await record(id, { type: 'EndSweep', data: { fence, left } });
  if (left > 0 || outcome.state.status !== 'running') return outcome;
  const report = { matched: await target.count(matched(migration)), pending: left };
  return record(id, { type: 'FinishRun', data: { fence, report } });
}
