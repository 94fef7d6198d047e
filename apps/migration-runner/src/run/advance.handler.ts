import { AppError, type Clock, isAppError, messageOf } from '@tidegate/kernel';
import type { Migration, Row } from '@tidegate/migration';
import type { Leases, Outcome } from '@tidegate/store';
import type { Migrations } from '../migration/migrations.port.ts';
import type { Key, Target, Targets } from '../target/target.port.ts';
import { countsOf, keyIn, matched, pending, prepare } from './batch.ts';
import { planReport, verifyReport } from './inspect.handler.ts';
import type { Run, Work } from './run.ts';
import type { RunnerCommand } from './runner-command.ts';

export interface AdvanceDeps {
  readonly load: (run: string) => Promise<Run | undefined>;
  /** Runs one of the runner's own commands through `execute`. */
  readonly record: (
    run: string,
    command: Pick<RunnerCommand, 'type' | 'data'>,
  ) => Promise<Outcome<Run>>;
  readonly migrations: Migrations;
  readonly targets: Targets;
  readonly leases: Leases;
  readonly holder: string;
  readonly clock: Clock;
  /** Lets the rest of the process have its turn between two batches. */
  readonly yieldTurn: () => Promise<void>;
}

/** A batch must fit into the lease with room to spare: a taken-over run waits this long. */
export const LEASE_MS = 60_000;
const CONFLICT_RETRIES = 5;

/**
 * Works on a run until it is done, paused, ended or another runner has it. Safe to repeat and to kill anywhere:
 * what a batch wrote is no longer pending, and the checkpoint follows the writes.
 * Rejects with a retryable AppError while the database does not work; the run then stays as it is.
 */
export async function advance(deps: AdvanceDeps, id: string): Promise<void> {
  const run = await deps.load(id);
  if (run?.status !== 'running') return;
  const lease = `migration/${run.work.migration}`;
  const fence = await deps.leases.claim(lease, deps.holder, LEASE_MS);
  if (fence === undefined) return;
  try {
    await workOn(deps, id, run.work, { lease, fence });
  } catch (error) {
    if (isAppError(error) && error.retryable) throw error;
    const code = isAppError(error) ? error.code : 'MIGRATION_FAILED';
    await deps.record(id, { type: 'FailRun', data: { fence, code, message: messageOf(error) } });
  } finally {
    await deps.leases.release(lease, deps.holder);
  }
}

interface Held {
  readonly lease: string;
  readonly fence: number;
}

async function workOn(deps: AdvanceDeps, id: string, run: Work, held: Held): Promise<void> {
  const loaded = deps.migrations.get(run.migration);
  if (loaded?.hash !== run.definitionHash)
    throw new AppError(
      'MIGRATION_CHANGED',
      `The text of ${run.migration} is not what the run began with.`,
    );
  const { migration } = loaded;
  const target = await deps.targets.open(
    migration.target,
    run.action === 'execute' ? 'write' : 'read',
  );
  const { fence } = held;
  const finish = (report: Awaited<ReturnType<typeof planReport>>) =>
    deps.record(id, { type: 'FinishRun', data: { fence, report } });
  try {
    if (run.action === 'plan') await finish(await planReport(migration, target));
    else if (run.action === 'execute') await sweep(deps, id, run, held, migration, target);
    else {
      const { report, failure } = await verifyReport(migration, target, run.sampleSize);
      if (failure !== undefined) throw new AppError('MIGRATION_NOT_VERIFIED', failure);
      await finish(report);
    }
  } finally {
    await target.close();
  }
}

async function sweep(
  deps: AdvanceDeps,
  id: string,
  begun: Work,
  held: Held,
  migration: Migration,
  target: Target,
): Promise<void> {
  let run: Run = { status: 'running', work: begun };
  while (run.status === 'running') {
    await deps.yieldTurn();
    const renewed = await deps.leases.claim(held.lease, deps.holder, LEASE_MS);
    if (renewed !== held.fence) return;
    const rows = await target.page(pending(migration), run.work.checkpoint, run.work.batchSize);
    const { state } =
      rows.length === 0
        ? await endOfKeys(deps, id, held.fence, migration, target)
        : await deps.record(id, await batch(deps.clock, held.fence, migration, target, rows));
    run = state;
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

async function batch(
  clock: Clock,
  fence: number,
  migration: Migration,
  target: Target,
  rows: readonly Row[],
): Promise<Pick<RunnerCommand, 'type' | 'data'>> {
  const startedAt = clock.now();
  const keys = rows.map((row) => keyIn(migration, row));
  let changed = 0;
  let unchanged = 0;
  let left: readonly Row[] = rows;
  for (let attempt = 0; left.length > 0 && attempt < CONFLICT_RETRIES; attempt += 1) {
    const prepared = prepare(migration, left);
    if (prepared.failure) throw new AppError(prepared.failure.code, prepared.failure.message);
    unchanged += prepared.unchanged;
    const results = await target.write(matched(migration), prepared.writes);
    changed += results.filter((result) => result === 'written').length;
    const lost = prepared.writes.filter((_write, index) => results[index] === 'conflict');
    left =
      lost.length === 0
        ? []
        : await reread(
            target,
            migration,
            lost.map(({ before }) => before),
          );
  }
  return {
    type: 'RecordBatch',
    data: {
      fence,
      first: keys[0] as Key,
      last: keys.at(-1) as Key,
      counts: countsOf(rows.length, changed, unchanged),
      tookMs: clock.now() - startedAt,
    },
  };
}

/** What somebody edited meanwhile is read again; what they deleted or completed is no longer ours. */
const reread = (target: Target, migration: Migration, rows: readonly Row[]) =>
  target.find(
    pending(migration),
    rows.map((row) => keyIn(migration, row)),
  );
