import {
  type AnyMigration,
  type CutoverMigration,
  isDataMigration,
  type Migration,
} from '@tidegate/migration';
import { AppError } from '@tidegate/kernel';
import type { MigrationErrorCode } from '../errors.ts';
import { pending } from '../run/batch.ts';
import type { Job } from '../run/job.ts';
import type { Target } from '../target/target.port.ts';
import { cutoverReport, type Part, switchBackReport } from './cutover.handler.ts';
import { ended } from './inspect.handler.ts';
import { keptAlive } from './kept-alive.handler.ts';
import { leftBehindBy, verifiedBy } from './left-behind.ts';

const SLICE_MS = 200;

type AnyJob = Job<AnyMigration>;

/** Proves that the new form alone may be read. A plan says whether it may, and is completed anyway. */
export async function cutOver(job: AnyJob): Promise<void> {
  const { migration, work, settleMs } = job;
  const { action } = work;
  const isPlan = action === 'plan';
  const targets = new Map<string, Target>();
  try {
    const parts: Part[] = [];
    for (const id of partsOf(migration)) parts.push(await partOf(job, id, targets));
    const found = await cutoverReport({
      action: action === 'plan' || action === 'verify' || action === 'execute' ? action : 'cutover',
      parts,
      settleMs: isPlan ? 0 : settleMs,
      settle: (ms) => settled(job, ms),
      ...(migration.phase === 'cutover' ? { switch: migration } : {}),
    });
    await ended(job, isPlan && found ? { report: found.report } : found, 'MIGRATION_NOT_READY');
  } finally {
    for (const target of targets.values()) await target.close();
  }
}

/** Says which flag is to be switched back: documents do not change. */
export async function switchBack({ migration, record }: Job<CutoverMigration>): Promise<void> {
  await record('FinishRun', { report: switchBackReport(migration) });
}

/** A migration of documents is its own proof. */
const partsOf = (migration: AnyMigration): readonly string[] =>
  migration.phase === 'cutover' ? migration.dependsOn : [migration.id];

async function partOf(job: AnyJob, id: string, targets: Map<string, Target>): Promise<Part> {
  const loaded = job.migrations.get(id);
  if (!loaded)
    throw new AppError<MigrationErrorCode>('MIGRATION_NOT_READY', `There is no migration ${id}.`);
  const { migration, hash } = loaded;
  const target = await opened(job, migration.target, targets);
  const runs = await job.runsOf(id);
  if (migration.phase === 'schema')
    return {
      migration: id,
      counted: async () => ({
        pending: (await target.schema.missing(migration)).length,
        leftOnPurpose: 0,
      }),
    };
  if (!isDataMigration(migration))
    throw new AppError<MigrationErrorCode>('MIGRATION_NOT_READY', `${id} is a cutover, too.`);
  const keys = leftBehindBy(runs).map(({ key }) => key);
  const verified = verifiedBy(runs, hash);
  return {
    migration: id,
    verified: verified ?? 'not yet',
    counted: () => counted(migration, target, keys),
  };
}

async function counted(migration: Migration, target: Target, keys: readonly (string | number)[]) {
  const left = pending(migration);
  return {
    pending: await target.count(left),
    leftOnPurpose: (await target.find(left, keys)).length,
  };
}

async function opened(
  { targets, shift }: AnyJob,
  name: string,
  open: Map<string, Target>,
): Promise<Target> {
  const known = open.get(name);
  if (known) return known;
  const target = keptAlive(await targets.open(name, 'read'), shift);
  open.set(name, target);
  return target;
}

/** Lets programs write for so long; false when the time of the run is over. */
async function settled({ clock, shift, sleep }: AnyJob, ms: number): Promise<boolean> {
  for (const end = clock.now() + ms; clock.now() < end;) {
    if (!(await shift.goOn())) return false;
    await sleep(Math.min(SLICE_MS, Math.max(1, end - clock.now())));
  }
  return shift.goOnToBatch();
}
