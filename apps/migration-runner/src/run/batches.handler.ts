import type { FailedDocument } from '@tidegate/contracts';
import type { Row } from '@tidegate/migration';
import type { Throttle } from '../flow/throttle.ts';
import type { KeptFor } from '../journal/kept.ts';
import { stopFor } from './failures.ts';
import type { Job } from './job.ts';
import { type Order, type Preparation, prepare, type Prepared } from './prepare.handler.ts';
import type { Run, Work } from './run.ts';
import type { Applied } from './write.handler.ts';

/** What is done with the batches of a run. */
export interface Pass {
  readonly kind: KeptFor;
  /** Undefined when the shift ended before anything of it was done. */
  apply(order: Order, batch: Prepared): Promise<Applied | undefined>;
  /** No more keys. Resolves with the run, and where it is to go on; undefined: from the start. */
  ended(work: Work): Promise<Run>;
}

/** A batch that was read longer ago than this, because its run had to wait, is read again. */
const STALE_MS = 5_000;

const full: Throttle = {
  because: 'backup-full',
  message:
    'The journal of this migration has no room for another batch (MIGRATION_BACKUP_MAX_BYTES), and nothing is changed without a way back.',
  lookAgainInMs: 5_000,
};

/**
 * Batch by batch until the run is not running any more or the shift ends. While a batch is applied the next one is prepared;
 * what is in it may be a batch old, which is why every write compares. Its size is that of the batch before it, as nobody
 * knows yet how long that one takes: the size follows one batch late.
 */
export async function throughBatches(job: Job, begun: Run, pass: Pass): Promise<void> {
  let ahead: Ahead | undefined;
  let isFull = false;
  const held = async () => (isFull || !(await job.journal.hasRoom()) ? full : undefined);
  try {
    for (let run = begun; run.status === 'running';) {
      const { work } = run;
      const since = job.clock.now();
      const size = await job.pacing.begin({ work, target: job.target, held }, job.shift);
      if (size === undefined) return;
      const startedAt = job.clock.now();
      const { order, prepared } = await fresh(job, ahead, startedAt - since, () => ({
        work,
        batch: work.batches + 1,
        after: work.checkpoint,
        size,
        kind: pass.kind,
      }));
      ahead = undefined;
      const batch = unwrapped(await prepared);
      if (batch === 'shift-ended') return;
      if (batch === 'no-more') {
        run = await pass.ended(work);
        continue;
      }
      const stop = stopFor(work, batch.failures);
      if (stop) throw stop;
      isFull = !batch.isKept;
      if (isFull) continue;
      const { last: after, documentBytes } = batch;
      // Whoever wants rests between batches wants no haste, and what was read before a long rest is stale after it.
      if (!work.flow?.niceRatio)
        ahead = begin(job, { ...order, work, batch: order.batch + 1, after, size, documentBytes });
      const writtenFrom = job.clock.now();
      const applied = await pass.apply({ ...order, work }, batch);
      if (!applied) return;
      run = await recorded(job, work, batch, { ...applied, startedAt, writtenFrom });
    }
  } finally {
    await ahead?.prepared; // it uses the connection that is closed next
  }
}

type Result = { readonly value: Preparation } | { readonly error: unknown };
interface Ahead {
  readonly order: Order;
  /** Never rejects: nobody may await it for a while. */
  readonly prepared: Promise<Result>;
}

const begin = (job: Job, order: Order): Ahead => ({
  order,
  prepared: prepare(job, order).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  ),
});

function unwrapped(result: Result): Preparation {
  if ('error' in result) throw result.error;
  return result.value;
}

async function fresh(
  job: Job,
  ahead: Ahead | undefined,
  waitedMs: number,
  order: () => Order,
): Promise<Ahead> {
  if (ahead && Math.abs(waitedMs) < STALE_MS) return ahead;
  await ahead?.prepared;
  return begin(job, order());
}

interface Times {
  readonly startedAt: number;
  readonly writtenFrom: number;
}

/** One save for a batch. What the database refused stops a run here, when what was written is recorded. */
async function recorded(
  job: Job,
  work: Work,
  { first, last, rows, failures: before, madeMs }: Prepared,
  { changed, skipped, failures, failed, startedAt, writtenFrom }: Applied & Times,
): Promise<Run> {
  const { run, faults, clock, pacing } = job;
  await faults.at('batch.written', `migration-runs/${run}`);
  await quarantined(job, failures, failed);
  const tookMs = Math.max(0, clock.now() - startedAt);
  const workMs = madeMs + Math.max(0, clock.now() - writtenFrom);
  const nextSize = pacing.ended(work, { documents: rows, tookMs, workMs });
  const later = failures.slice(before.length);
  const stop = stopFor({ ...work, failures: [...work.failures, ...before] }, later);
  const listed =
    stop && work.onError !== 'skip' && work.onError !== 'quarantine' ? before : failures;
  const counts = {
    matched: rows,
    changed,
    skipped,
    mismatched: rows - changed - skipped - failures.length,
    ...(failures.length > 0 ? { failed: failures.length } : {}),
  };
  const state = await job.record('RecordBatch', {
    first,
    last,
    counts,
    tookMs,
    nextSize,
    ...(listed.length > 0 ? { failures: listed } : {}),
  });
  await faults.at('batch.recorded', `migration-runs/${run}`);
  if (stop) throw stop;
  return state;
}

async function quarantined(
  { work, quarantine, run, target }: Job,
  failures: readonly FailedDocument[],
  rows: readonly Row[],
): Promise<void> {
  if (work.onError !== 'quarantine' || failures.length === 0) return;
  await quarantine.add({ migration: work.migration, run }, failures, { packing: target, rows });
}
